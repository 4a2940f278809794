/* What goes wrong, and when: the plan's troubles as events. */
#ifndef PUNCHD_SIM_TROUBLE_H
#define PUNCHD_SIM_TROUBLE_H

void troubles_begin(void);

/* Everything is well from now on. */
void troubles_over(void);

#endif
