/* core/config: every key of INTERFACES.md that there is, every rule of lines, every fault's place. */
#include "unit.h"

#include "base/log.h"
#include "core/config.h"
#include "core/rules.h"
#include "core/verdict.h"

#define PIN   "sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE="
#define PIN_2 "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA8="

static struct config conf;
static struct buf faults;

static int begin(void **state)
{
	(void)state;
	buf_init(&faults, 65536);
	return config_init(&conf);
}

static int end(void **state)
{
	(void)state;
	config_done(&conf);
	buf_done(&faults);
	return 0;
}

static void read_bytes(const char *bytes, size_t n)
{
	buf_clear(&faults);
	assert_int_equal(config_read(&conf, "f.conf", bytes, n, &faults), 0);
}

static void read_text(const char *text)
{
	read_bytes(text, strlen(text));
}

static void assert_good(const char *text)
{
	read_text(text);
	assert_string_equal(faults.data, "");
}

static void assert_faults(const char *text, const char *wanted)
{
	read_text(text);
	assert_string_equal(faults.data, wanted);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_string_equal(conf.api.base_url, "https://api.bthdevelopers.com/v1");
	assert_string_equal(conf.api.key_file, "");
	assert_string_equal(conf.api.ca_file, "");
	assert_int_equal(conf.api.plan, 0);
	assert_int_equal(conf.api.timeout_ms, 30000);
	assert_int_equal(conf.api.max_in_flight, 8);
	assert_int_equal(conf.api.retry_min_ms, 1000);
	assert_int_equal(conf.api.retry_max_ms, 900000);
	assert_int_equal(conf.api.auth_retry_ms, 300000);
	assert_string_equal(conf.api.proxy, "");
	assert_string_equal(conf.api.pinned_public_key, "");
	assert_int_equal(conf.api.in_doubt, DOUBT_RESEND);
	assert_string_equal(conf.mqtt.host, "127.0.0.1");
	assert_int_equal(conf.mqtt.port, 1883);
	assert_string_equal(conf.mqtt.client_id, "");
	assert_string_equal(conf.mqtt.username, "");
	assert_string_equal(conf.mqtt.password_file, "");
	assert_int_equal(conf.mqtt.keepalive_ms, 60000);
	assert_string_equal(conf.mqtt.topic_prefix, "");
	assert_string_equal(conf.mqtt.profiles, "native");
	assert_string_equal(conf.mqtt.profile_dir, "/etc/punchd/profiles");
	assert_int_equal(conf.mqtt.max_payload, 4 << 20);
	assert_string_equal(conf.site.name, "");
	assert_string_equal(conf.site.time_zone, "");
	assert_int_equal(conf.site.day_start_s, 14400);
	assert_int_equal(conf.punches.max_age_ms, 90 * 86400000LL);
	assert_int_equal(conf.punches.max_future_ms, 300000);
	assert_int_equal(conf.punches.accept_from_s, INT64_MIN);
	assert_int_equal(conf.punches.unknown_user, VERDICT_HOLD);
	assert_int_equal(conf.punches.unknown_device, VERDICT_HOLD);
	assert_int_equal(conf.punches.inactive_device, VERDICT_HOLD);
	assert_int_equal(conf.punches.greet, 1);
	assert_string_equal(conf.store.path, "/var/lib/punchd/punchd.db");
	assert_int_equal(conf.store.retention_ms, 90 * 86400000LL);
	assert_int_equal(conf.store.min_free, 64 << 20);
	assert_int_equal(conf.sync.users_ms, 6 * 3600000);
	assert_int_equal(conf.sync.devices_ms, 3600000);
	assert_string_equal(conf.control.socket, "/run/punchd/punchd.sock");
	assert_string_equal(conf.control.group, "punchd");
	assert_int_equal(conf.log.level, LOG_LEVEL_INFO);
	config_check(&conf, &faults);
	assert_string_equal(faults.data, "");
}

static void test_every_key_is_read(void **state)
{
	(void)state;
	assert_good("[api]\nbase_url=https://x.example:8443/v1\nkey_file = /k\nca_file=/c\n"
		    "plan=premium\ntimeout=5s\nmax_in_flight=1\nretry_min=500ms\nretry_max=1m\n"
		    "auth_retry=1h\nin_doubt=hold\nproxy=none\npinned_public_key=" PIN
		    "\n[mqtt]\nhost=broker\nport=8883\nclient_id=me\nusername=u\n"
		    "password_file=/p\nkeepalive=5s\ntopic_prefix=site7/\n[site]\nname=Hall 1\n"
		    "time_zone=Europe/Berlin\nday_start=23:59\n[punches]\nmax_age=1d\n"
		    "max_future=0\naccept_from=2026-02-01T08:00:00+02:00\ngreet=no\n"
		    "unknown_user=park\nunknown_device=forward\ninactive_device=forward\n[store]\n"
		    "path=/x.db\nretention=0\nmin_free=2G\n[sync]\nusers=1s\ndevices=36500d\n"
		    "[control]\nsocket=/s\ngroup=staff\n[log]\nlevel=debug\n");
	assert_string_equal(conf.api.base_url, "https://x.example:8443/v1");
	assert_string_equal(conf.api.key_file, "/k");
	assert_string_equal(conf.api.ca_file, "/c");
	assert_int_equal(conf.api.plan, 500);
	assert_int_equal(conf.api.timeout_ms, 5000);
	assert_int_equal(conf.api.max_in_flight, 1);
	assert_int_equal(conf.api.retry_min_ms, 500);
	assert_int_equal(conf.api.retry_max_ms, 60000);
	assert_int_equal(conf.api.auth_retry_ms, 3600000);
	assert_string_equal(conf.api.proxy, "none");
	assert_string_equal(conf.api.pinned_public_key, PIN);
	assert_int_equal(conf.api.in_doubt, DOUBT_HOLD);
	assert_string_equal(conf.mqtt.host, "broker");
	assert_int_equal(conf.mqtt.port, 8883);
	assert_string_equal(conf.mqtt.client_id, "me");
	assert_string_equal(conf.mqtt.username, "u");
	assert_string_equal(conf.mqtt.password_file, "/p");
	assert_int_equal(conf.mqtt.keepalive_ms, 5000);
	assert_string_equal(conf.mqtt.topic_prefix, "site7/");
	assert_string_equal(conf.site.name, "Hall 1");
	assert_string_equal(conf.site.time_zone, "Europe/Berlin");
	assert_int_equal(conf.site.day_start_s, 86340);
	assert_int_equal(conf.punches.max_age_ms, 86400000);
	assert_int_equal(conf.punches.max_future_ms, 0);
	assert_int_equal(conf.punches.accept_from_s, 1769925600);
	assert_int_equal(conf.punches.unknown_user, VERDICT_PARK);
	assert_int_equal(conf.punches.unknown_device, VERDICT_FORWARD);
	assert_int_equal(conf.punches.inactive_device, VERDICT_FORWARD);
	assert_int_equal(conf.punches.greet, 0);
	assert_string_equal(conf.store.path, "/x.db");
	assert_int_equal(conf.store.retention_ms, 0);
	assert_int_equal(conf.store.min_free, 2LL << 30);
	assert_int_equal(conf.sync.users_ms, 1000);
	assert_int_equal(conf.sync.devices_ms, 36500 * 86400000LL);
	assert_string_equal(conf.control.socket, "/s");
	assert_string_equal(conf.control.group, "staff");
	assert_int_equal(conf.log.level, LOG_LEVEL_DEBUG);
}

static void test_plans(void **state)
{
	static const struct {
		const char *text;
		int64_t plan;
	} rows[] = {{"auto", 0}, {"basic", 100}, {"premium", 500}, {"enterprise", 1000}, {"1", 1},
		{"1000000", 1000000}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[64];

		snprintf(text, sizeof text, "[api]\nplan = %s\n", rows[i].text);
		assert_good(text);
		assert_int_equal(conf.api.plan, rows[i].plan);
	}
}

static void test_roads(void **state)
{
	static const char *const proxies[] = {"", "none", "http://proxy.example",
		"https://p_1.example:443/", "socks5://127.0.0.1:1080", "socks5h://[fd00::1]:65535",
		"http://u@p", "http://u:p%40ss%2F%25@p:1", "http://:only@p"};
	static const char *const pins[] = {"", PIN, PIN " " PIN_2, PIN " " PIN_2 "  " PIN};
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(proxies); i++) {
		snprintf(text, sizeof text, "[api]\nproxy = %s\n", proxies[i]);
		assert_good(text);
		assert_string_equal(conf.api.proxy, proxies[i]);
	}
	for (size_t i = 0; i < COUNT(pins); i++) {
		snprintf(text, sizeof text, "[api]\npinned_public_key=%s\n", pins[i]);
		assert_good(text);
		assert_string_equal(conf.api.pinned_public_key, pins[i]);
	}
}

/* Each with what is said about it. */
static void test_bad_values(void **state)
{
	static const struct {
		const char *section, *setting, *wanted;
	} rows[] = {
		{"api", "base_url=http://x.example",
			"the API is reached over https only, not `http://x.example`"},
		{"api", "base_url=",
			"it is empty, not a URL that begins with https:// and a host, "},
		{"api", "base_url=ftp://x",
			"`ftp://x` is not a URL that begins with https:// and a host, "},
		{"api", "base_url=https://x.example/v1/",
			"`https://x.example/v1/` is not a URL that begins with https:// and a "
			"host, as "
			"https://api.example/v1, without login, ? and #: `https://x.example/v1`?"},
		{"api", "base_url=x.example/v1", NULL},
		{"api", "base_url=https://x:0/v1", NULL},
		{"api", "base_url=https://x:65536/v1", NULL},
		{"api", "base_url=https://b/v\xc3\xb6", NULL},
		{"api", "base_url=https://SECRET@b/v1", "what stands there is not a URL"},
		{"api", "base_url=http://b/v1?key=SECRET", "what stands there is not a URL"},
		{"api", "base_url=https://", NULL},
		{"api", "base_url=https:///v1", NULL},
		{"api", "base_url=https://:443/v1", NULL},
		{"api", "base_url=https://a@b/v1", NULL},
		{"api", "base_url=https://b/v1?x", NULL},
		{"api", "base_url=https://b/#v1", NULL},
		{"api", "base_url=https://b c/", NULL},
		{"api", "plan=gold",
			"`gold` is not auto, basic, premium, enterprise or 1 to 1000000"},
		{"api", "plan=0", NULL},
		{"api", "plan=-5", NULL},
		{"api", "plan=1000001", NULL},
		{"api", "timeout=99ms",
			"`99ms` is not a duration from 100ms to 36500d, as 500ms 30s 5m 6h 90d"},
		{"api", "timeout=30", NULL},
		{"api", "timeout=36501d", NULL},
		{"api", "timeout=99999999999999999d", NULL},
		{"api", "max_in_flight=0", "`0` is not a number from 1 to 256"},
		{"api", "max_in_flight=257", NULL},
		{"api", "max_in_flight=8x", NULL},
		{"api", "retry_min=0", NULL},
		{"api", "proxy=proxy.example:3128",
			"what stands there is not none or a proxy's URL, as "
			"http://proxy.example:3128 "
			"(also https, socks5, socks5h), with what is special in its user and "
			"password as %XX\n"},
		{"api", "proxy=None", NULL},
		{"api", "proxy=ftp://p", NULL},
		{"api", "proxy=socks4://p", NULL},
		{"api", "proxy=http://", NULL},
		{"api", "proxy=http:///", NULL},
		{"api", "proxy=http://:3128", NULL},
		{"api", "proxy=http://p:", NULL},
		{"api", "proxy=http://p:0", NULL},
		{"api", "proxy=http://p:65536", NULL},
		{"api", "proxy=http://p:99999999999999999999", NULL},
		{"api", "proxy=http://p:3128x", NULL},
		{"api", "proxy=http://p/path", NULL},
		{"api", "proxy=http://p?x", NULL},
		{"api", "proxy=http://p q", NULL},
		{"api", "proxy=http://[::1", NULL},
		{"api", "proxy=http://[]:1", NULL},
		{"api", "proxy=http://[::g]:1", NULL},
		{"api", "proxy=http://@p", NULL},
		{"api", "proxy=http://u:p@ss@p", NULL},
		{"api", "proxy=http://u:p/w@p", NULL},
		{"api", "proxy=http://u:50%@p", NULL},
		{"api", "proxy=http://u:%4@p", NULL},
		{"api", "proxy=http://u:%zz@p", NULL},
		{"api", "proxy=http://u:%0a@p", NULL},
		{"api", "proxy=http://u:%7F@p", NULL},
		{"api", "proxy=http://p\xc3\xb6", NULL},
		{"api", "pinned_public_key=YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE=",
			"`YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE=` is not sha256// and the "
			"base64 of 32 bytes, one or several\n"},
		{"api", "pinned_public_key=sha256//", NULL},
		{"api", "pinned_public_key=" PIN "=", NULL},
		{"api", "pinned_public_key=" PIN ";" PIN_2, NULL},
		{"api", "pinned_public_key=" PIN " x", NULL},
		{"api", "pinned_public_key=sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMw==",
			NULL},
		{"api", "pinned_public_key=sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwF=",
			NULL},
		{"api", "pinned_public_key=sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRM-E=",
			NULL},
		{"api", "key_file=SECRET",
			"what stands there is not an absolute path; the secret itself lies in the "
			"file that is named here\n"},
		{"api", "ca_file=ca.pem", "`ca.pem` is not an absolute path\n"},
		{"mqtt", "password_file=SECRET", "what stands there is not an absolute path"},
		{"mqtt", "host=",
			"it is empty, not a host's name or address, as broker.example or "
			"192.0.2.7; its port has a key of its own\n"},
		{"mqtt", "host=mqtt://u:SECRET@b", "what stands there is not a host's name"},
		{"mqtt", "host=mqtt://b", NULL},
		{"mqtt", "host=b:1883", NULL},
		{"mqtt", "host=b c", NULL},
		{"mqtt", "host=[::1]", NULL},
		{"mqtt", "host=::1%", NULL},
		{"mqtt", "host=b;the broker", NULL},
		{"mqtt", "port=1883;the port",
			"`1883;the port` is not a number from 1 to 65535: a comment behind a value "
			"begins "
			"with a blank and a semicolon\n"},
		{"mqtt", "port=1883 # the port", NULL},
		{"mqtt", "port=\"1883\"", "a value stands without quotation marks\n"},
		{"mqtt", "username=\xe2\x80\x9cgw\xe2\x80\x9d",
			"a value stands without quotation marks\n"},
		{"mqtt",
			"username=\xc2\x9b"
			"1m",
			NULL},
		{"mqtt", "port=0", NULL},
		{"mqtt", "port=65536", NULL},
		{"mqtt", "port=99999999999999999999", NULL},
		{"mqtt", "keepalive=4s", NULL},
		{"mqtt", "keepalive=65536s", NULL},
		{"mqtt", "topic_prefix=a/+/",
			"`a/+/` is not a topic's beginning, without + and # and no leading $"},
		{"mqtt", "topic_prefix=#", NULL},
		{"mqtt", "topic_prefix=$share/", NULL},
		{"site", "day_start=24:00",
			"`24:00` is not a time of day from 00:00 to 23:59, as 04:00"},
		{"site", "name=a/b", NULL},
		{"site", "name=a#b", NULL},
		{"site", "day_start=4:00", NULL},
		{"site", "day_start=04:60", NULL},
		{"site", "day_start=0400", NULL},
		{"site", "day_start=04-00", NULL},
		{"site", "day_start=04:0a", NULL},
		{"site", "day_start=a4:00", NULL},
		{"site", "day_start=", NULL},
		{"site", "name=a\tb", "`a?b` is not a text without / + # and control characters"},
		{"site", "name=K\xf6ln", NULL},
		{"punches", "max_age=0", NULL},
		{"punches", "max_future=-1s", NULL},
		{"punches", "unknown_user=drop", NULL},
		{"punches", "unknown_device=", NULL},
		{"punches", "inactive_device=park", "`park` is not hold or forward"},
		{"punches", "accept_from=2026-02-01",
			"`2026-02-01` is not a time with its offset, as 2026-02-01T08:00:00+02:00"},
		{"punches", "accept_from=2026-02-01T08:00:00", NULL},
		{"punches", "accept_from=9999-12-31T23:00:00-02:00", NULL},
		{"punches", "accept_from=0000-01-01T00:00:00+02:00", NULL},
		{"punches", "greet=true", "`true` is not yes or no: `yes`?"},
		{"api", "in_doubt=keep", "`keep` is not resend or hold"},
		{"punches", "greet=", NULL},
		{"store", "path=punchd.db", "`punchd.db` is not an absolute path"},
		{"store", "path=", NULL},
		{"store", "min_free=1k",
			"`1k` is not a size from 0 to 1048576G, as 64K 10M 2G: `1K`?"},
		{"store", "min_free=-1", NULL},
		{"store", "min_free=1048577G", NULL},
		{"sync", "users=999ms", NULL},
		{"control", "socket=x", NULL},
		{"log", "level=warn", "`warn` is not error, warning, info or debug: `warning`?"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[192], wanted[256], before[4096];
		struct buf out;

		buf_init(&out, sizeof before - 1);
		config_print(&conf, &out);
		snprintf(before, sizeof before, "%s", out.data);
		snprintf(text, sizeof text, "[%s]\n\n%s\n", rows[i].section, rows[i].setting);
		read_text(text);
		snprintf(wanted, sizeof wanted,
			"f.conf:3: %.*s: ", (int)strcspn(rows[i].setting, "="), rows[i].setting);
		if (strncmp(faults.data, wanted, strlen(wanted)) != 0 ||
			(rows[i].wanted &&
				strncmp(faults.data + strlen(wanted), rows[i].wanted,
					strlen(rows[i].wanted)) != 0))
			fail_msg("%s: %s", rows[i].setting, faults.data);
		assert_null(strstr(faults.data, "SECRET"));
		/* one line, and the value before stands */
		assert_ptr_equal(strchr(faults.data, '\n'), faults.data + faults.len - 1);
		buf_clear(&out);
		config_print(&conf, &out);
		assert_string_equal(out.data, before);
		buf_done(&out);
	}
}

/* What somebody meant, as far as it can be guessed. */
static void test_hints(void **state)
{
	static const struct {
		const char *section, *line, *wanted;
	} rows[] = {
		{"api", "base_ulr=x", "there is no key `base_ulr` in [api]: base_url?"},
		{"api", "time_out=x", "there is no key `time_out` in [api]: timeout?"},
		{"api", "host=x", "there is no key `host` in [api]: it belongs into [mqtt]"},
		{"site", "direction=x",
			"there is no key `direction` in [site]: it belongs into [punches] or "
			"[terminal "
			"\"NAME\"]"},
		{"log", "retry_maximum=1", "there is no key `retry_maximum` in [log]"},
		{"log", "min_fre=1", "there is no key `min_fre` in [log]: min_free in [store]?"},
		{"log", "x=1", "there is no key `x` in [log]"},
		{"log", "level", "there is no = behind `level`"},
		{"log", "level debug", "there is no = behind `level`"},
		{"terminal \"T\"", "serial BIO", "there is no = behind `serial`"},
		{"log", "port 1", "neither a section nor a setting `key = value`"},
		{"log", "[Punch]", "there is no section [Punch]: [punches]?"},
		{"log", "[cloud]", "there is no section [cloud]"},
		{"log", "level=Debug",
			"level: `Debug` is not error, warning, info or debug: `debug`?"},
		{"log", "level=err", "level: `err` is not error, warning, info or debug: `error`?"},
		{"log", "level=verbose", "level: `verbose` is not error, warning, info or debug"},
		{"punches", "greet=ON", "greet: `ON` is not yes or no: `yes`?"},
		{"punches", "greet=No", "greet: `No` is not yes or no: `no`?"},
		{"punches", "greet=0", "greet: `0` is not yes or no: `no`?"},
		{"punches", "greet=perhaps", "greet: `perhaps` is not yes or no"},
		{"punches", "unknown_user=Hold",
			"unknown_user: `Hold` is not hold, forward or park: `hold`?"},
		{"sync", "users=60",
			"users: `60` is not a duration from 1s to 36500d, as 500ms 30s 5m 6h 90d: "
			"`60s`?"},
		{"sync", "users=60 s",
			"users: `60 s` is not a duration from 1s to 36500d, as 500ms 30s 5m 6h "
			"90d: "
			"`60s`?"},
		{"sync", "users=5min",
			"users: `5min` is not a duration from 1s to 36500d, as 500ms 30s 5m 6h "
			"90d: `5m`?"},
		{"sync", "users=1w",
			"users: `1w` is not a duration from 1s to 36500d, as 500ms 30s 5m 6h 90d"},
		{"store", "min_free=64 MB",
			"min_free: `64 MB` is not a size from 0 to 1048576G, as 64K 10M 2G: "
			"`64M`?"},
		{"store", "min_free=64MiB",
			"min_free: `64MiB` is not a size from 0 to 1048576G, as 64K 10M 2G: "
			"`64M`?"},
		{"api", "plan=Premium",
			"plan: `Premium` is not auto, basic, premium, enterprise or 1 to 1000000: "
			"`premium`?"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[192], wanted[256];

		snprintf(text, sizeof text, "[%s]\n%s\n", rows[i].section, rows[i].line);
		snprintf(wanted, sizeof wanted, "f.conf:2: %s\n", rows[i].wanted);
		assert_faults(text, wanted);
	}
	assert_faults("port = 1\nname: x\nx=1\n",
		"f.conf:1: a setting before the first section: it belongs into [mqtt]\n"
		"f.conf:2: a setting before the first section: it belongs into [site]\n"
		"f.conf:3: a setting before the first section\n");
}

/* In one file the second is a fault, wherever it stands; between files the later one counts. */
static void test_a_key_twice(void **state)
{
	(void)state;
	assert_faults("[api]\nplan=basic\n[log]\nlevel=info\n[api]\ntimeout=5s\nplan=premium\n",
		"f.conf:7: plan: it is set in line 2 already\n");
	assert_faults("[terminal \"T\"]\nserial=A\n[terminal \"U\"]\nserial=B\n"
		      "[terminal \"T\"]\ndouble_tap=5s\nserial=C\n",
		"f.conf:7: serial: it is set in line 2 already\n");
	assert_good("[api]\nplan=premium\n[terminal \"T\"]\nserial=D\n");
	assert_int_equal(conf.api.plan, 500);
	assert_string_equal(config_terminals_find(&conf.terminals, "T")->serial, "D");
}

/* As Windows' editors save, with a mark and without. */
static void test_utf16(void **state)
{
	static const char little[] = "\xff\xfe[\0a\0p\0i\0]\0\n", big[] = "\0[\0a\0p\0i\0]";
	static const char fault[] = "f.conf:1: the file is UTF-16: save it as UTF-8\n";

	(void)state;
	read_bytes(little, sizeof little);
	assert_string_equal(faults.data, fault);
	read_bytes(big, sizeof big - 1);
	assert_string_equal(faults.data, fault);
	read_bytes(big + 1, sizeof big - 2);
	assert_string_equal(faults.data, fault);
}

static void test_several_faults_at_once(void **state)
{
	(void)state;
	assert_faults("x = 1\n[api]\nplan = gold\nnokey\nnokey2 ; = 5\n timeout = 5s\n[nothing]\n"
		      "a = b\n[mqtt]\nnope = 1\nport = 1\n[api\nplan = tin\ntimeout = "
		      "1\n[log]\nlevel = x\n",
		"f.conf:1: a setting before the first section\n"
		"f.conf:3: plan: `gold` is not auto, basic, premium, enterprise or 1 to 1000000\n"
		"f.conf:4: neither a section nor a setting `key = value`\n"
		"f.conf:5: neither a section nor a setting `key = value`\n"
		"f.conf:6: an indented line: settings begin in the first column\n"
		"f.conf:7: there is no section [nothing]\n"
		"f.conf:10: there is no key `nope` in [mqtt]\n"
		"f.conf:12: a section ends with ] and nothing else\n"
		"f.conf:13: plan: it is set in line 3 already\n"
		"f.conf:14: timeout: `1` is not a duration from 100ms to 36500d, as 500ms 30s 5m "
		"6h 90d: `1s`?\n"
		"f.conf:16: level: `x` is not error, warning, info or debug\n");
	assert_int_equal(conf.mqtt.port, 1);
	assert_int_equal(conf.api.plan, 0);
}

static void test_comments(void **state)
{
	(void)state;
	assert_good("; one\n# two\n  ; indented\n\t# too\n\n   \n[api] ; the API\n"
		    "plan = basic ; of 2026\nkey_file = ; none\n"
		    "ca_file = /a;b#c\n[mqtt]\nusername = x # y\n");
	assert_int_equal(conf.api.plan, 100);
	assert_string_equal(conf.api.key_file, "");
	assert_string_equal(conf.api.ca_file, "/a;b#c");
	assert_string_equal(conf.mqtt.username, "x # y");
	assert_faults("[api];x\n", "f.conf:1: a section ends with ] and nothing else\n");
	assert_faults("[api] # x\n", "f.conf:1: a section ends with ] and nothing else\n");
	assert_faults("[api] x\n", "f.conf:1: a section ends with ] and nothing else\n");
}

static void test_forms_of_a_line(void **state)
{
	(void)state;
	assert_good("\xef\xbb\xbf[site]\r\nname=a=b:c\r\ntime_zone :  Europe/Berlin \r\n\r\n");
	assert_string_equal(conf.site.name, "a=b:c");
	assert_string_equal(conf.site.time_zone, "Europe/Berlin");
	assert_good("[site]\nname = without newline");
	assert_string_equal(conf.site.name, "without newline");
	assert_good("");
	assert_faults("[site]\n\r = 1\n", "f.conf:2: there is no key `` in [site]\n");
	assert_faults("[site]\n\xef\xbb\xbfname = x\n",
		"f.conf:2: there is no key `\xef\xbb\xbfname` in [site]\n");
	assert_faults("[Site]\n", "f.conf:1: there is no section [Site]: [site]?\n");
	assert_faults("[site]\nName = x\n", "f.conf:2: there is no key `Name` in [site]: name?\n");
}

/* A carriage return alone ends no line, so it hides nothing behind it. */
static void test_cr_is_no_newline(void **state)
{
	(void)state;
	assert_faults(
		"[api]\rplan = basic\n", "f.conf:1: a section ends with ] and nothing else\n");
	assert_faults("[api]\nplan = basic\rtimeout = 5s\n",
		"f.conf:2: plan: `basic?timeout = 5s` is not auto, basic, premium, enterprise or 1 "
		"to 1000000\n");
}

static void test_long_lines(void **state)
{
	char text[512];

	(void)state;
	snprintf(text, sizeof text, "[site]\nname=%0185d\n", 0);
	assert_good(text);
	assert_int_equal(strlen(conf.site.name), 185);
	snprintf(text, sizeof text, "[site]\r\nname=%0185d\r\n", 0);
	assert_good(text);
	snprintf(text, sizeof text, "[site]\nname=%0186d\ntime_zone=X\n", 0);
	assert_faults(text, "f.conf:2: a line of more than 190 bytes\n");
	assert_int_equal(strlen(conf.site.name), 185);
	assert_string_equal(conf.site.time_zone, "X");
	snprintf(text, sizeof text, "#%0300d\n[site]\nname=y\n", 0);
	assert_faults(text, "f.conf:1: a line of more than 190 bytes\n");
	snprintf(text, sizeof text, "[%0180d]\n", 0);
	read_text(text);
	assert_memory_equal(faults.data, "f.conf:1: there is no section [000", 34);
	snprintf(text, sizeof text, "[site]\n%0180d=1\n", 0);
	read_text(text);
	assert_memory_equal(faults.data, "f.conf:2: there is no key `000", 30);
}

static void test_nul_bytes(void **state)
{
	static const char inside[] = "[site]\nname = a\0b\ntime_zone = X\n";
	static const char in_comment[] = "# \0\n[site]\nname = y\n";

	(void)state;
	read_bytes(inside, sizeof inside - 1);
	assert_string_equal(faults.data, "f.conf:2: a NUL byte\n");
	assert_string_equal(conf.site.name, "");
	assert_string_equal(conf.site.time_zone, "X");
	read_bytes(in_comment, sizeof in_comment - 1);
	assert_string_equal(faults.data, "f.conf:1: a NUL byte\n");
}

/* A person's terminal is not for a file to write on. */
static void test_faults_hold_no_control_characters(void **state)
{
	(void)state;
	assert_faults("[x\x1b[2J]\n", "f.conf:1: there is no section [x?[2J]\n");
	assert_faults("[x\x1b[2J\n", "f.conf:1: a section ends with ] and nothing else\n");
	assert_faults("[api]\n\x1b\x7f = 1\n", "f.conf:2: there is no key `??` in [api]\n");
	assert_faults("[api]\n\xc2\x9b\xfc = 1\n", "f.conf:2: there is no key `???` in [api]\n");
}

static void test_later_files_replace(void **state)
{
	(void)state;
	assert_good("[api]\nplan = basic\n[log]\n[api]\ntimeout = 5s\n");
	assert_int_equal(conf.api.plan, 100);
	assert_int_equal(config_read(&conf, "g.conf", "[api]\nplan=1\n", 13, &faults), 0);
	assert_int_equal(conf.api.plan, 1);
	assert_int_equal(conf.api.timeout_ms, 5000);
}

/* What only shows at the end names the place where the key was set. */
static void test_contradictions(void **state)
{
	char text[256];

	(void)state;

	assert_good("[api]\nretry_max = 500ms\n[mqtt]\nkeepalive = 5500ms\npassword_file = /p\n");
	config_check(&conf, &faults);
	assert_string_equal(faults.data,
		"f.conf:2: retry_max: is shorter than retry_min\n"
		"f.conf:5: password_file: without username: MQTT 3.1.1 has no such login\n"
		"f.conf:4: keepalive: MQTT counts it in whole seconds\n");
	assert_good("[api]\nretry_min = 600ms\n[mqtt]\nkeepalive = 6s\nusername = u\n");
	config_check(&conf, &faults);
	assert_string_equal(faults.data, "f.conf:2: retry_min: is longer than retry_max\n");
	buf_clear(&faults);
	config_fault(&conf, "api", "ca_file", &faults, "%s", "no such file");
	assert_string_equal(faults.data, "[api] ca_file: no such file\n");
	/* as long as a socket's path may be, and a byte more */
	snprintf(text, sizeof text, "[api]\nretry_max=1m\n[control]\nsocket=/%0106d\n", 0);
	assert_good(text);
	config_check(&conf, &faults);
	assert_string_equal(faults.data, "");
	snprintf(text, sizeof text, "[control]\nsocket=/%0107d\n", 0);
	assert_good(text);
	config_check(&conf, &faults);
	assert_string_equal(faults.data,
		"f.conf:2: socket: a socket's path has at most 107 bytes, this one has 108\n");
}

/* A value that was refused contradicts nothing: its own fault is enough. */
static void test_what_was_refused_contradicts_nothing(void **state)
{
	size_t told;

	(void)state;
	read_text("[api]\nretry_min = 2h\nretry_max = soon\n"
		  "[mqtt]\npassword_file = /p\nusername = \x01\n");
	told = faults.len;
	config_check(&conf, &faults);
	assert_int_equal(faults.len, told);
	/* a later file that mends it counts again */
	read_text("[api]\nretry_max = 1h\n");
	config_check(&conf, &faults);
	assert_non_null(strstr(faults.data, "retry_min: is longer than retry_max"));
}

/* What is printed, read into another config, prints the same. */
static void assert_prints_back(void)
{
	struct config other;
	struct buf first, second;

	buf_init(&first, 65536);
	buf_init(&second, 65536);
	config_print(&conf, &first);
	assert_int_equal(config_init(&other), 0);
	buf_clear(&faults);
	assert_int_equal(config_read(&other, "p", first.data, first.len, &faults), 0);
	assert_string_equal(faults.data, "");
	config_print(&other, &second);
	assert_string_equal(first.data, second.data);
	config_restart_keys(&conf, &other, &faults);
	assert_string_equal(faults.data, "");
	config_done(&other);
	buf_done(&first);
	buf_done(&second);
}

static void test_print_reads_back(void **state)
{
	char text[512];

	(void)state;
	assert_prints_back();
	assert_good("[api]\nplan=777\ntimeout=1500ms\n[mqtt]\ntopic_prefix=a b/\n[site]\n"
		    "name=;semicolon\nday_start=00:07\n[punches]\ngreet=no\n"
		    "accept_from=2026-02-01T08:00:00.9+02:00\n[store]\nmin_free=1000\n[log]\n"
		    "level=error\n");
	assert_prints_back();
	snprintf(text, sizeof text, "[site]\nname=%0185d\n", 0);
	assert_good(text);
	assert_prints_back();
}

/* A proxy's password is in no print and no fault, and what is printed is a proxy all the same. */
static void test_password_of_a_proxy(void **state)
{
	struct buf out;
	struct config other;

	(void)state;
	buf_init(&out, 65536);
	assert_good("[api]\nproxy = http://SECRET:SECRET%40x@proxy.example:3128\n");
	config_print(&conf, &out);
	assert_null(strstr(out.data, "SECRET"));
	assert_non_null(strstr(out.data, "\nproxy = http://*@proxy.example:3128\n"));
	assert_int_equal(config_init(&other), 0);
	assert_int_equal(config_read(&other, "p", out.data, out.len, &faults), 0);
	assert_string_equal(faults.data, "");
	config_restart_keys(&conf, &other, &faults);
	assert_string_equal(faults.data, "[api] proxy");
	config_done(&other);
	buf_done(&out);
	read_text("[api]\nproxy = http://u:SECRET@proxy.example:x\n");
	assert_null(strstr(faults.data, "SECRET"));
	assert_non_null(strstr(faults.data, "f.conf:2: proxy: "));
	read_text("[api]\nproxy = SECRET@\n");
	assert_null(strstr(faults.data, "SECRET"));
	assert_non_null(strstr(faults.data, "f.conf:2: proxy: "));
}

static void test_sections_of_terminals(void **state)
{
	const struct config_terminal *t;

	(void)state;
	assert_null(config_terminals_find(&conf.terminals, "T1"));
	assert_good("[terminal \"T1\"]\nserial = BIO-1\ntime_zone=Asia/Kolkata\n"
		    "[terminal\t\"T 2\"] ; another\ndirection = check_out\n[punches]\n"
		    "direction = hold\ndouble_tap = 5m\n");
	t = config_terminals_find(&conf.terminals, "T1");
	assert_string_equal(t->serial, "BIO-1");
	assert_string_equal(t->time_zone, "Asia/Kolkata");
	assert_int_equal(t->direction, -1);
	assert_int_equal(t->double_tap_ms, -1);
	assert_string_equal(config_terminal_origin(t, "time_zone")->file, "f.conf");
	assert_int_equal(config_terminal_origin(t, "time_zone")->line, 3);
	assert_int_equal(config_terminals_find(&conf.terminals, "T 2")->direction, 2);
	assert_int_equal(conf.punches.direction, 3);
	assert_int_equal(conf.punches.double_tap_ms, 300000);
	/* A later file says more of it, or something else. */
	assert_good("[terminal \"T1\"]\nserial=BIO-9\ndouble_tap=0\n");
	t = config_terminals_find(&conf.terminals, "T1");
	assert_string_equal(t->serial, "BIO-9");
	assert_string_equal(t->time_zone, "Asia/Kolkata");
	assert_int_equal(t->double_tap_ms, 0);
	assert_prints_back();
}

static void test_faults_in_sections_of_terminals(void **state)
{
	static const char shape[] =
		"f.conf:1: a terminal's section is written [terminal \"NAME\"]\n";
	char text[128];

	(void)state;
	assert_faults("[terminal]\nserial=x\n", shape);
	assert_faults("[terminal T1]\nserial=x\n", shape);
	assert_faults("[terminal \"T1\n", shape);
	assert_faults("[terminal \"T1\"] x\n", shape);
	assert_faults("[terminal \"\"]\n", shape);
	snprintf(text, sizeof text, "[terminal \"%065d\"]\n", 0);
	assert_faults(text,
		"f.conf:1: a terminal's name has 1 to 64 bytes of UTF-8 without "
		"control characters\n");
	assert_faults("[terminals]\n",
		"f.conf:1: there is no section [terminals]: [terminal \"NAME\"]?\n");
	assert_faults("[terminal \"T\"]\nname=x\ndirection=in\ndouble_tap=8d\n",
		"f.conf:2: there is no key `name` in [terminal]: it belongs into [site]\n"
		"f.conf:3: direction: `in` is not alternate, check_in, check_out or hold\n"
		"f.conf:4: double_tap: `8d` is not a duration from 0 to 7d, as 500ms 30s 5m 6h "
		"90d\n");
	/* What follows is no longer of the terminal. */
	assert_faults("[terminal \"T\"]\n[log]\nserial=x\n",
		"f.conf:3: there is no key `serial` in [log]: it belongs into [terminal "
		"\"NAME\"]\n");
}

/* The shipped file with every `;` in front taken away is the defaults. */
static void test_example_is_the_defaults(void **state)
{
	struct buf text, printed, wanted;
	size_t settings = 0;

	(void)state;
	buf_init(&text, 65536);
	buf_init(&printed, 65536);
	buf_init(&wanted, 65536);
	config_print(&conf, &wanted);
	config_example(&text);
	assert_good(text.data);
	for (char *s = text.data; *s; s = strchr(s, '\n') + 1) {
		settings += *s == ';';
		if (*s == ';')
			memmove(s, s + 1, strlen(s));
		if (!strchr(s, '\n'))
			break;
	}
	assert_int_equal(settings, 53);
	assert_good(text.data);
	config_print(&conf, &printed);
	assert_string_equal(printed.data, wanted.data);
	buf_done(&text);
	buf_done(&printed);
	buf_done(&wanted);
}

static void test_what_takes_effect_when(void **state)
{
	struct config wanted;

	(void)state;
	assert_int_equal(config_init(&wanted), 0);
	config_restart_keys(&conf, &wanted, &faults);
	assert_string_equal(faults.data, "");
	assert_int_equal(config_read(&wanted, "g",
				 "[api]\nplan=5\nkey_file=/k\n[mqtt]\nhost=h\n"
				 "[log]\nlevel=debug\n[store]\nretention=5d\n",
				 sizeof "[api]\nplan=5\nkey_file=/k\n[mqtt]\nhost=h\n"
					"[log]\nlevel=debug\n[store]\nretention=5d\n" -
					 1,
				 &faults),
		0);
	config_restart_keys(&conf, &wanted, &faults);
	assert_string_equal(faults.data, "[api] plan [mqtt] host");
	config_take_live(&conf, &wanted);
	assert_string_equal(conf.api.key_file, "/k");
	assert_int_equal(conf.log.level, LOG_LEVEL_DEBUG);
	assert_int_equal(conf.store.retention_ms, 5 * 86400000LL);
	assert_int_equal(conf.api.plan, 0);
	assert_string_equal(conf.mqtt.host, "127.0.0.1");
	buf_clear(&faults);
	config_fault(&conf, "api", "key_file", &faults, "x");
	config_fault(&conf, "mqtt", "host", &faults, "y");
	assert_string_equal(faults.data, "g:3: key_file: x\n[mqtt] host: y\n");
	config_done(&wanted);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_defaults),
		CASE(test_every_key_is_read),
		CASE(test_plans),
		CASE(test_roads),
		CASE(test_bad_values),
		CASE(test_hints),
		CASE(test_a_key_twice),
		CASE(test_utf16),
		CASE(test_several_faults_at_once),
		CASE(test_comments),
		CASE(test_forms_of_a_line),
		CASE(test_cr_is_no_newline),
		CASE(test_long_lines),
		CASE(test_nul_bytes),
		CASE(test_faults_hold_no_control_characters),
		CASE(test_later_files_replace),
		CASE(test_contradictions),
		CASE(test_what_was_refused_contradicts_nothing),
		CASE(test_print_reads_back),
		CASE(test_password_of_a_proxy),
		CASE(test_sections_of_terminals),
		CASE(test_faults_in_sections_of_terminals),
		CASE(test_example_is_the_defaults),
		CASE(test_what_takes_effect_when),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
