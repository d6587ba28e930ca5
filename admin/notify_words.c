#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/zone.h"

#include "member.h"
#include "notify.h"

/* Names have at most 127 bytes, words from elsewhere 512; some lines. */
#define TEXT_MAX	(8 * 1024)
#define NUMBER_SIZE	ZONE_RFC3339_SIZE
#define ARGS		4

struct words {
	const char *en, *zh;
};

static const char *
say(const char *lang, const struct words *w)
{

	return (strcmp(lang, "zh") == 0 ? w->zh : w->en);
}

/* ${form} with $1 to $4 replaced; malloc'd. */
static char *
fill(const char *form, const char *const args[ARGS])
{
	struct buf b;
	size_t n;
	int rc = 0;
	char *out = NULL;

	buf_init(&b, TEXT_MAX);
	while (rc == 0 && *form != '\0') {
		n = strcspn(form, "$");
		rc = buf_append(&b, form, n);
		form += n;
		if (*form == '$' && rc == 0) {
			rc = buf_puts(&b, args[form[1] - '1']);
			form += 2;
		}
	}
	if (rc == 0 && buf_cstr(&b) != NULL)
		out = strdup((const char *)buf_head(&b));
	buf_fini(&b);
	return (out);
}

/* ---- one line ---- */

/* What accounts are parked for; others are given as they are. */
static const struct {
	const char *reason;
	struct words words;
} reasons[] = {
	{ "rate_limited", { "the upstream limits its rate", "上游限流" } },
	{ "overloaded", { "the upstream is overloaded", "上游过载" } },
	{ "auth", { "its credential is refused", "凭据被拒" } },
	{ "credit", { "its credit is used up", "余额不足" } },
	{ "refresh", { "its tokens are being renewed", "正在续期令牌" } },
	{ "sign_in", { "it has to be signed in to anew", "需要重新登录" } },
	{ "upstream_error", { "the upstream fails", "上游出错" } },
	{ "upstream_timeout", { "the upstream answers too late",
	    "上游超时" } },
	{ "connect", { "the upstream cannot be reached", "无法连接上游" } },
};

static const char *
reason_of(const char *lang, const json_t *data)
{
	const char *reason = text_of(data, "reason");
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (strcmp(reasons[i].reason, reason) == 0)
			return (say(lang, &reasons[i].words));
	}
	return (reason);
}

static const struct words subjects[] = {
	[NOTIFY_PARKED] = { "Account \"$1\" is parked: $2",
	    "账号“$1”已冷却：$2" },
	[NOTIFY_BUDGET_80] = { "Budget \"$1\" is used to 80 %",
	    "预算“$1”已用 80 %" },
	[NOTIFY_BUDGET_100] = { "Budget \"$1\" is used up",
	    "预算“$1”已用完" },
	[NOTIFY_GROUP] = { "Nothing is left in group \"$1\"",
	    "分组“$1”没有可用账号" },
	[NOTIFY_SPOOL] = { "The spool of $1 is not empty",
	    "$1 的暂存文件尚未清空" },
	[NOTIFY_BACKUP] = { "The backup failed", "备份失败" },
	[NOTIFY_TEST] = { "Test of the target \"$1\"",
	    "测试通知目标“$1”" },
};
_Static_assert(sizeof(subjects) / sizeof(subjects[0]) == NOTIFY_KINDS,
    "one each");

static const struct words pool_empty = { "Nothing is left in the pool",
	"账号池没有可用账号" };

char *
notify_subject(enum notify_kind kind, const char *lang, const json_t *data)
{
	const char *args[ARGS] = { text_of(data, "subject"),
		reason_of(lang, data), "", "" };
	const struct words *form = &subjects[kind];

	if (kind == NOTIFY_GROUP && args[0][0] == '\0')
		form = &pool_empty;
	return (fill(say(lang, form), args));
}

char *
notify_digest(const char *lang, size_t n)
{
	static const struct words form = { "$1 notifications", "$1 条通知" };
	char number[NUMBER_SIZE];
	const char *args[ARGS] = { number, "", "", "" };

	(void)snprintf(number, sizeof(number), "%zu", n);
	return (fill(say(lang, &form), args));
}

/* ---- some lines ---- */

static const struct words texts[] = {
	[NOTIFY_PARKED] = {
	    "$1: $2. It takes no requests until $3.",
	    "$1：$2。在 $3 之前不接受请求。" },
	[NOTIFY_BUDGET_80] = {
	    "Of budget \"$1\" $2 of $3 are spent. Its window ends: $4.",
	    "预算“$1”的 $3 中已用 $2。本周期结束时间：$4。" },
	[NOTIFY_BUDGET_100] = {
	    "Of budget \"$1\" $2 of $3 are spent: requests that count "
	    "against it are refused. Its window ends: $4.",
	    "预算“$1”的 $3 已用 $2：计入该预算的请求将被拒绝。"
	    "本周期结束时间：$4。" },
	[NOTIFY_GROUP] = {
	    "Of its $1 accounts $2 are switched on, and all of these rest. "
	    "The first is back: $3.",
	    "共 $1 个账号，其中 $2 个已启用，且全部在冷却中。"
	    "最早恢复时间：$3。" },
	[NOTIFY_SPOOL] = {
	    "On host $1 $2 settlements wait for the database, and $3 files "
	    "are put aside (*.refused), which somebody has to look at.",
	    "主机 $1 上有 $2 条结算尚未写入数据库；$3 个文件已搁置"
	    "（*.refused），需要人工处理。" },
	[NOTIFY_BACKUP] = {
	    "The job backup failed: $1",
	    "备份任务失败：$1" },
	[NOTIFY_TEST] = {
	    "This is a test: nothing has happened. What the target \"$1\" is "
	    "to be told arrives here.",
	    "这是一条测试消息，并未发生任何事件。目标“$1”的通知会"
	    "发送到这里。" },
};
_Static_assert(sizeof(texts) / sizeof(texts[0]) == NOTIFY_KINDS,
    "one each");

/* An amount as the budget counts. */
static void
amount(const char *lang, const json_t *data, const char *name,
    char out[NUMBER_SIZE])
{
	static const struct words units[] = {
		{ "tokens", "个词元" }, { "requests", "次请求" },
	};
	const char *counts = text_of(data, "counts");
	int64_t n = int_of(data, name);
	char usd[NUM_NUSD_SIZE];

	if (strcmp(counts, "money") == 0) {
		num_format_nusd(n, usd);
		(void)snprintf(out, NUMBER_SIZE, "$%s", usd);
		return;
	}
	(void)snprintf(out, NUMBER_SIZE, "%lld %s", (long long)n,
	    say(lang, &units[strcmp(counts, "requests") == 0]));
}

static void
moment(const char *lang, const struct zone *zone, const json_t *data,
    const char *name, char out[NUMBER_SIZE])
{
	static const struct words never = { "not by itself", "不会自动恢复" };
	int64_t ms = int_of(data, name);

	if (ms == 0)
		(void)snprintf(out, NUMBER_SIZE, "%s", say(lang, &never));
	else
		zone_rfc3339(zone, ms, out);
}

static void
count(const json_t *data, const char *name, char out[NUMBER_SIZE])
{

	(void)snprintf(out, NUMBER_SIZE, "%lld",
	    (long long)int_of(data, name));
}

char *
notify_text(enum notify_kind kind, const char *lang, const json_t *data,
    const struct zone *zone)
{
	char a[NUMBER_SIZE] = "", b[NUMBER_SIZE] = "", c[NUMBER_SIZE] = "";
	const char *about = text_of(data, "subject");
	const char *args[ARGS] = { about, a, b, c };

	switch (kind) {
	case NOTIFY_PARKED:
		args[1] = reason_of(lang, data);
		moment(lang, zone, data, "until_ms", b);
		break;
	case NOTIFY_BUDGET_80:
	case NOTIFY_BUDGET_100:
		amount(lang, data, "spent", a);
		amount(lang, data, "limit", b);
		moment(lang, zone, data, "ends_ms", c);
		break;
	case NOTIFY_GROUP:
		args[0] = a;
		count(data, "accounts", a);
		args[1] = b;
		count(data, "enabled", b);
		args[2] = c;
		moment(lang, zone, data, "until_ms", c);
		break;
	case NOTIFY_SPOOL:
		count(data, "records", a);
		count(data, "refused", b);
		break;
	case NOTIFY_BACKUP:
		args[0] = text_of(data, "detail");
		break;
	case NOTIFY_TEST:
	case NOTIFY_KINDS:
		break;
	}
	return (fill(say(lang, &texts[kind]), args));
}
