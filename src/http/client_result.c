/*
 * client_result.c - see client_result.h.
 */
#include "http/client_result.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"

#define RETRY_AFTER_MAX (366 * 86400) /* seconds; longer is a mistake or mischief */

/* A time limit says only that it passed; what is known of the connection says where. */
static enum http_step
step_of_timeout(CURL *easy)
{
	curl_off_t resolved = 0, ready = 0;
	long local_port = 0;

	curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
	curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &ready);
	curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &local_port);
	if (ready > 0)
		return HTTP_STEP_TRANSFER;
	if (local_port > 0)
		return HTTP_STEP_TLS;
	return resolved > 0 ? HTTP_STEP_CONNECT : HTTP_STEP_RESOLVE;
}

static const struct failure {
	CURLcode code;
	enum rc rc;
	enum http_step step;
} failures[] = {
	{ CURLE_UNSUPPORTED_PROTOCOL, RC_CONFIG, HTTP_STEP_NONE },
	{ CURLE_URL_MALFORMAT, RC_CONFIG, HTTP_STEP_NONE },
	{ CURLE_LOGIN_DENIED, RC_CONFIG, HTTP_STEP_NONE },
	{ CURLE_OUT_OF_MEMORY, RC_NOMEM, HTTP_STEP_NONE },
	{ CURLE_COULDNT_RESOLVE_PROXY, RC_IO, HTTP_STEP_PROXY },
	{ CURLE_COULDNT_RESOLVE_HOST, RC_IO, HTTP_STEP_RESOLVE },
	{ CURLE_COULDNT_CONNECT, RC_IO, HTTP_STEP_CONNECT },
	{ CURLE_PROXY, RC_IO, HTTP_STEP_PROXY },
	{ CURLE_SSL_CONNECT_ERROR, RC_IO, HTTP_STEP_TLS },
	{ CURLE_SSL_CERTPROBLEM, RC_IO, HTTP_STEP_TLS },
	{ CURLE_SSL_CIPHER, RC_IO, HTTP_STEP_TLS },
	{ CURLE_SSL_ISSUER_ERROR, RC_IO, HTTP_STEP_TLS },
	{ CURLE_PEER_FAILED_VERIFICATION, RC_IO, HTTP_STEP_TLS },
	{ CURLE_SSL_CACERT_BADFILE, RC_CONFIG, HTTP_STEP_TLS },
	{ CURLE_ABORTED_BY_CALLBACK, RC_IO,
	    HTTP_STEP_TLS }, /* the caller's tls_configure said no */
	{ CURLE_OPERATION_TIMEDOUT, RC_TIMEOUT, HTTP_STEP_TRANSFER },
};

/* Whether the proxy, and not the server, was the one we were talking to when it failed. */
static bool
is_proxy_step(const struct engine_call *call, enum http_step step)
{
	long connect_code = 0;

	if (!call->proxied || call->out->headers.len > 0)
		return false;
	curl_easy_getinfo(call->easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
	if (step == HTTP_STEP_RESOLVE || step == HTTP_STEP_CONNECT)
		return true;
	return connect_code >= 300 || (connect_code == 0 && step == HTTP_STEP_TLS);
}

static struct failure
classify(const struct engine_call *call)
{
	struct failure f = { .code = call->code, .rc = RC_IO, .step = HTTP_STEP_TRANSFER };
	size_t i;

	for (i = 0; i < sizeof failures / sizeof failures[0]; i++)
		if (failures[i].code == call->code)
			f = failures[i];
	if (call->too_big)
		f.rc = RC_LIMIT;
	else if (call->out->body.rc == RC_NOMEM || call->out->headers.rc == RC_NOMEM)
		f.rc = RC_NOMEM; /* libcurl only knows that we did not take its bytes */
	if (call->code == CURLE_OPERATION_TIMEDOUT)
		f.step = step_of_timeout(call->easy);
	if (f.step != HTTP_STEP_NONE && is_proxy_step(call, f.step))
		f.step = HTTP_STEP_PROXY;
	return f;
}

enum rc
client_fail(struct engine_call *call, const struct http_call *asked, struct err *err)
{
	int shown = (int)strcspn(asked->url, "?#");
	struct failure f = classify(call);

	call->out->failed = f.step;
	if (call->cut_off)
		return fail(err, RC_IO, "%s %.*s: the client is shutting down", asked->method,
		    shown, asked->url);
	if (f.rc == RC_LIMIT)
		return fail(err, RC_LIMIT, "%s %.*s: the reply is too large", asked->method, shown,
		    asked->url);
	return fail(err, f.rc, "%s %.*s: %s", asked->method, shown, asked->url,
	    call->error[0] != '\0' ? call->error : curl_easy_strerror(call->code));
}

/* RFC 9110 5.6.7; 0: no date. */
static int64_t
client_date(const char *value)
{
	time_t t = value[0] != '\0' ? curl_getdate(value, NULL) : -1;

	return t > 0 ? (int64_t)t : 0;
}

/* RFC 9110 10.2.3: seconds or a date; -1: neither.  `now` is the sender's clock. */
static int64_t
client_retry_after(const char *value, int64_t now)
{
	int64_t n = 0;
	size_t i, digits = strspn(value, "0123456789");

	if (digits == 0) {
		n = client_date(value);
		if (n == 0)
			return -1;
		n = n > now ? n - now : 0;
	} else if (value[digits] != '\0') {
		return -1;
	}
	for (i = 0; i < digits && n <= RETRY_AFTER_MAX; i++)
		n = n * 10 + (value[i] - '0');
	return n > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : n;
}

void
client_understand(struct engine_call *call)
{
	struct http_result *r = call->out;
	char value[128];
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	r->status = (int)status;
	r->server_date = client_date(http_result_header(r, "Date", value, sizeof value));
	r->retry_after =
	    client_retry_after(http_result_header(r, "Retry-After", value, sizeof value),
		r->server_date != 0 ? r->server_date : clock_now());
}

/* The line's value if its name is `name`. */
static const char *
match(const char *line, size_t len, const char *name, size_t *value_len)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return NULL;
	line += n + 1;
	len -= n + 1;
	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
		len--;
	*value_len = len;
	return line;
}

const char *
http_result_header(const struct http_result *r, const char *name, char *out, size_t len)
{
	const char *p = buf_str(&r->headers), *v;
	size_t n, line;

	out[0] = '\0';
	for (; *p != '\0'; p += line) {
		line = strcspn(p, "\n");
		line += p[line] == '\n';
		v = match(p, line, name, &n);
		if (v == NULL)
			continue;
		n = n < len - 1 ? n : len - 1;
		memcpy(out, v, n);
		out[n] = '\0';
		break;
	}
	return out;
}
