/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_PORT_H_INCLUDED
#define MODEL_PORT_H_INCLUDED

/*
 * <port.h> of the model of event ports: names and types as port_create(3C) and its siblings have
 * them.
 */

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

typedef struct port_event {
	int portev_events;
	unsigned short portev_source;
	unsigned short portev_pad;
	uintptr_t portev_object;
	void *portev_user;
} port_event_t;

#define PORT_SOURCE_FD 4

int port_create(void);
int port_associate(int port, int source, uintptr_t object, int events, void *user);
int port_dissociate(int port, int source, uintptr_t object);
int port_get(int port, port_event_t *event, struct timespec *timeout);
int port_getn(int port, port_event_t list[], unsigned int max, unsigned int *nget,
	      struct timespec *timeout);

#endif
