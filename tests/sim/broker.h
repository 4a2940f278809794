/*
 * A broker with mosquitto's habits, and the gateway's link to it in the place of edge/mqtt.
 *
 * It acknowledges a publisher before it has saved anything; it saves at intervals, and comes back
 * from a kill with what it saved last, so that messages are missing, and others that were
 * acknowledged long ago come again; it keeps no more than its queue takes and drops the rest in
 * silence; what was on its way when the link broke comes again with DUP; where it lost its memory it
 * does not know the gateway's session; and whoever comes with the gateway's client id gets its session.
 */
#ifndef PUNCHD_SIM_BROKER_H
#define PUNCHD_SIM_BROKER_H

#include <stdbool.h>
#include <stddef.h>

struct terminal;

void broker_begin(void);
void broker_end(void);

bool broker_is_up(void);

/* A terminal publishes. numbers: of the taps in it, count of them. Returns whether the broker took it,
 * which says nothing about its being kept. */
bool broker_publish(const char *topic, const char *payload, const int *numbers, int count);

/* It goes down: in order, or killed; and comes up again, with its memory or without. */
void broker_stop(bool killed);
void broker_start(bool with_memory);

/* Connections to it are swallowed. */
void broker_black_hole(bool swallowed);

/* The gateway's connection breaks. */
void broker_cut_link(void);

/* Another client comes with the gateway's client id: its link is cut. The other one only comes and
 * goes, wipes the session by asking for a clean one, or takes what waits for itself. */
enum intruder { INTRUDER_PASSES, INTRUDER_WIPES, INTRUDER_TAKES };
void broker_take_over(enum intruder what);

/* Messages that wait for the gateway, or are on their way to it. */
size_t broker_waiting(void);

#endif
