/* What the commands of ctl/vocabulary.c run. Each returns an enum ctl_exit. */
#ifndef PUNCHD_CTL_COMMANDS_H
#define PUNCHD_CTL_COMMANDS_H

struct ctl;

int run_status(struct ctl *ctl);
int run_watch(struct ctl *ctl);
int run_punches(struct ctl *ctl);
int run_trace(struct ctl *ctl);
int run_users(struct ctl *ctl);
int run_devices(struct ctl *ctl);
int run_sync(struct ctl *ctl);
int run_pause(struct ctl *ctl);
int run_resume(struct ctl *ctl);
int run_link(struct ctl *ctl);
int run_unlink(struct ctl *ctl);
int run_links(struct ctl *ctl);
int run_lobby(struct ctl *ctl);
int run_release(struct ctl *ctl);
int run_retry(struct ctl *ctl);
int run_discard(struct ctl *ctl);
int run_amend(struct ctl *ctl);
int run_report(struct ctl *ctl);
int run_alarms(struct ctl *ctl);
int run_doctor(struct ctl *ctl);
int run_try_profile(struct ctl *ctl);

#endif
