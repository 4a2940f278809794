#include "api/pacelog.h"

#define ENTRY_US 125000

static struct pacelog_entry *entry(struct pacelog *l, int i)
{
	return &l->entries[(l->first + i) % PACELOG_ENTRIES];
}

static void drop_old(struct pacelog *l, int64_t now_us, int64_t keep_us)
{
	while (l->used > 0 && entry(l, 0)->last_us <= now_us - keep_us) {
		l->first = (l->first + 1) % PACELOG_ENTRIES;
		l->used--;
	}
}

void pacelog_add(struct pacelog *l, int64_t now_us, int64_t keep_us)
{
	struct pacelog_entry *last;

	drop_old(l, now_us, keep_us);
	if (l->used == 0 || (now_us - l->begun_us > ENTRY_US && l->used < PACELOG_ENTRIES)) {
		l->used++;
		l->begun_us = now_us;
		entry(l, l->used - 1)->count = 0;
	}
	last = entry(l, l->used - 1);
	last->last_us = now_us;
	last->count++;
	l->exact_us[l->added++ % PACELOG_EXACT] = now_us;
}

int64_t pacelog_count(const struct pacelog *l, int64_t now_us, int64_t while_us)
{
	int64_t count = 0;

	for (int i = 0; i < l->used; i++) {
		const struct pacelog_entry *e = &l->entries[(l->first + i) % PACELOG_ENTRIES];

		if (e->last_us > now_us - while_us)
			count += e->count;
	}
	return count;
}

int64_t pacelog_after(const struct pacelog *l, int64_t now_us, int64_t moment_us)
{
	int64_t known = l->added < PACELOG_EXACT ? l->added : PACELOG_EXACT, count = 0;

	while (count < known && l->exact_us[(l->added - 1 - count) % PACELOG_EXACT] > moment_us)
		count++;
	return count < PACELOG_EXACT ? count : pacelog_count(l, now_us, now_us - moment_us);
}

int64_t pacelog_leave(const struct pacelog *l, int64_t now_us, int64_t while_us, int64_t count)
{
	for (int i = 0; i < l->used; i++) {
		const struct pacelog_entry *e = &l->entries[(l->first + i) % PACELOG_ENTRIES];

		if (e->last_us <= now_us - while_us)
			continue;
		count -= e->count;
		if (count <= 0)
			return e->last_us + while_us;
	}
	return INT64_MAX;
}
