#include "daemon/cloudmarks.h"

#include "base/hex.h"
#include "base/log.h"
#include "core/identity.h"
#include "daemon/context.h"
#include "store/store_punch.h"

#define DOUBLES_SHOWN_US (7 * 86400 * CLOCK_US_PER_S)
#define US_IN_S          CLOCK_US_PER_S

int64_t cloudmarks_cloud(const char *base_url, const char *key)
{
	uint8_t both[2][32] = {{0}}, digest[32] = {0};
	int64_t cloud = 0;

	/* No copy of the key is made. */
	identity_sha256(base_url, strlen(base_url), both[0]);
	identity_sha256(key, strlen(key), both[1]);
	identity_sha256(both, sizeof both, digest);
	memcpy(&cloud, digest, sizeof cloud);
	cloud &= INT64_MAX;
	return cloud ? cloud : 1;
}

/* ---- the alarm */

static void compose(struct cloudmarks *m, const uint8_t identity[static IDENTITY_SIZE])
{
	char id[IDENTITY_SIZE * 2 + 1];

	snprintf(m->words, sizeof m->words,
		"the cloud has made two records of punch %s, since it does not honour idempotency "
		"keys: remove one of them there; in_doubt = hold in [api] keeps it from happening "
		"again",
		hex_encode(identity, IDENTITY_SIZE, id));
}

const char *cloudmarks_doubles(const struct context *c)
{
	int64_t since_us = loop_now(c->loop).wall_us - c->cloud.doubled_us;

	return c->cloud.doubled_us != 0 && since_us < DOUBLES_SHOWN_US ? c->cloud.words : NULL;
}

/* ---- keeping it */

static int load_numbers(struct store *s, struct cloudmarks *m, int64_t *ret_verdict)
{
	int r = store_meta_get(s, "cloud", 0, &m->cloud);

	if (r == 0)
		r = store_meta_get(s, "idempotent", 0, ret_verdict);
	if (r == 0)
		r = store_meta_get(s, "idempotent_proof", 0, &m->idempotence.proof_us);
	if (r == 0)
		r = store_meta_get(s, "doubled", 0, &m->idempotence.doubled_seq);
	if (r == 0)
		r = store_meta_get(s, "doubled_at", 0, &m->doubled_us);
	m->doubled_us *= US_IN_S;
	return r;
}

int cloudmarks_load(struct context *c)
{
	struct cloudmarks *m = &c->cloud;
	int64_t verdict = IDEMPOTENT_UNKNOWN;
	struct punch p;
	int r;

	*m = (struct cloudmarks){.cloud = 0};
	r = load_numbers(c->store, m, &verdict);
	if (r < 0)
		return r;
	if (verdict == IDEMPOTENT_YES || verdict == IDEMPOTENT_NO)
		m->idempotence.verdict = (enum idempotent)verdict;
	/* Purged meanwhile: nobody need know any more. */
	if (m->doubled_us && store_punch_get(c->store, m->idempotence.doubled_seq, &p) == 0)
		compose(m, p.identity);
	else
		m->doubled_us = 0;
	return 0;
}

static int save_numbers(struct store *s, const struct cloudmarks *m)
{
	int r = store_meta_set(s, "cloud", m->cloud);

	if (r == 0)
		r = store_meta_set(s, "idempotent", m->idempotence.verdict);
	if (r == 0)
		r = store_meta_set(s, "idempotent_proof", m->idempotence.proof_us);
	if (r == 0)
		r = store_meta_set(s, "doubled", m->idempotence.doubled_seq);
	if (r == 0)
		r = store_meta_set(s, "doubled_at", m->doubled_us / US_IN_S);
	return r;
}

int cloudmarks_save(struct context *c)
{
	int r;

	if (!c->cloud.news)
		return 0;
	r = store_begin(c->store);
	if (r == 0)
		r = save_numbers(c->store, &c->cloud);
	if (r < 0)
		store_rollback(c->store);
	else
		r = store_commit(c->store);
	if (r == 0)
		c->cloud.news = false;
	return r;
}

/* ---- learning */

/* Whether anything is known that another cloud must not inherit. */
static bool is_blank(const struct cloudmarks *m)
{
	return m->idempotence.verdict == IDEMPOTENT_UNKNOWN && m->doubled_us == 0;
}

void cloudmarks_take(struct context *c, int64_t cloud)
{
	struct cloudmarks *m = &c->cloud;

	if (cloud == 0 || cloud == m->cloud)
		return;
	if (!is_blank(m)) {
		log_info("idempotent",
			"base_url or the key are others: whether this cloud honours idempotency "
			"keys is not known yet");
		m->news = true;
	}
	idempotence_forget(&m->idempotence);
	m->doubled_us = 0;
	m->cloud = cloud;
}

static void tell_doubled(struct cloudmarks *m, const char *first, const char *second,
	const uint8_t identity[static IDENTITY_SIZE])
{
	char id[IDENTITY_SIZE * 2 + 1];

	log_warn("cloud_doubles",
		"the cloud has made two records of a punch that was sent again under its key: "
		"remove one of them there",
		LOG_S("id", hex_encode(identity, IDENTITY_SIZE, id)), LOG_S("first", first),
		LOG_S("second", second));
	compose(m, identity);
}

static void tell_verdict(enum idempotent verdict)
{
	switch (verdict) {
	case IDEMPOTENT_YES:
		log_info("idempotent",
			"the cloud honours idempotency keys: what is sent again is not doubled");
		break;
	case IDEMPOTENT_NO:
		log_warn("idempotent",
			"the cloud does not honour idempotency keys: what is sent again may be "
			"doubled");
		break;
	case IDEMPOTENT_UNKNOWN:
		log_info("idempotent",
			"the cloud's clocks differ by more than was thought: whether it honours "
			"idempotency keys is not known");
		break;
	}
}

void cloudmarks_answered(struct context *c, const struct idempotence_answer *a,
	const uint8_t identity[static IDENTITY_SIZE])
{
	struct cloudmarks *m = &c->cloud;
	enum idempotent before = m->idempotence.verdict;
	const char *first = idempotence_answered(&m->idempotence, a);

	if (first) {
		m->doubled_us = loop_now(c->loop).wall_us;
		tell_doubled(m, first, a->id, identity);
		m->news = true;
	}
	if (m->idempotence.verdict != before) {
		tell_verdict(m->idempotence.verdict);
		m->news = true;
	}
}

void cloudmarks_doubled(
	struct context *c, const struct punch *p, const char *first, const char *second)
{
	struct cloudmarks *m = &c->cloud;
	enum idempotent before = m->idempotence.verdict;

	idempotence_doubled(&m->idempotence, p->seq);
	m->doubled_us = loop_now(c->loop).wall_us;
	tell_doubled(m, first, second, p->identity);
	if (before != IDEMPOTENT_NO)
		tell_verdict(IDEMPOTENT_NO);
	m->news = true;
}
