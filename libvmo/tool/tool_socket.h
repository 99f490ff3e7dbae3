/* SPDX-License-Identifier: Apache-2.0 */
/* The socket on which vmo send and vmo recv meet. Each function prints a message before it fails. */
#ifndef TOOL_SOCKET_H
#define TOOL_SOCKET_H

#include "tool.h"

/* Listens on a new socket, which only this user can connect to. Removes a socket that nobody listens on. The
 * result is a descriptor, or -1. */
int tool_listen(const char *path);

/* Waits for the next connection. */
int tool_accept(const char *path, int listener);

/* Connects to a receiver. `wait`: until there is one; otherwise there must be one now. */
int tool_connect(const char *path, bool wait);

/* True if a path fits a socket's address; otherwise a message was printed. */
bool tool_is_socket_path(const char *path);

#endif
