/* SPDX-License-Identifier: Apache-2.0 */
/* A foreign kernel of a2 that deliberately differs: it lacks cap_transfer_to and vmo_share_ro. */
extern const char foreign_bootargs[];
const char foreign_bootargs[] = "abi=a2 watchdog_ms=600000 without=31,51";
