/* SPDX-License-Identifier: Apache-2.0 */
/* The ways by libvmo, for the table of frames_hand.c. */
#ifndef FRAMES_HERE_H
#define FRAMES_HERE_H

void stream_prepare(void);
void stream_prepare_sleeping(void);
void stream_prepare_latest(void);
void stream_prepare_latest_2(void); /* two consumers */
void stream_produce(void);
void stream_consume(void);
void stream_produce_latest(void);
void stream_consume_latest(void);
void stream_idle(void);
/* A fresh VMO for each frame. */
void one_shot_prepare(void);
void one_shot_produce(void);
void one_shot_consume(void);
/* A round trip: a stream each way. */
void stream_ask(void);
void stream_answer(void);

#endif
