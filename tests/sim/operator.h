/*
 * Somebody who acts on punches now and then by the control socket: releases, tries again, discards,
 * amends. What was answered is noted at the tap, so that the laws know what a person has done.
 */
#ifndef PUNCHD_SIM_OPERATOR_H
#define PUNCHD_SIM_OPERATOR_H

/* Lays out this story's deeds. */
void operator_begin(void);

/* All that is held since it is in doubt goes again, at the end. */
void operator_release_all(void);

#endif
