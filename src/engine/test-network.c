#include "base/fd.h"
#include "base/test.h"
#include "engine/network.h"
#include "engine/slirp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static void join(const struct strv *v, struct str *out)
{
	for (size_t i = 0; i < v->len; i++)
		str_addf(out, "%s%s", i ? " " : "", v->items[i]);
}

static void expect_arguments(const char *program, const struct spec *spec, const char *socket, const char *want)
{
	_strv_ v = { 0 };
	_str_ text = STR_INIT;

	network_arguments(program, spec, 3, socket, &v);
	join(&v, &text);
	ASSERT_STREQ(text.buf, want);
}

TEST(pasta_never_reaches_the_host)
{
	static struct spec_port ports[] = { { 8080, 80 }, { 5353, 53 } };
	struct spec spec = { .network = NETWORK_PRIVATE };

	expect_arguments("pasta", &spec, NULL,
	                 "--foreground --quiet --config-net --no-map-gw -u none -T none -U none --dns-forward 169.254.1.1 "
	                 "--ns-ifname eth0 -t none --netns /proc/self/fd/0");
	spec.ports.items = ports;
	spec.ports.len = 2;
	expect_arguments("pasta", &spec, NULL,
	                 "--foreground --quiet --config-net --no-map-gw -u none -T none -U none --dns-forward 169.254.1.1 "
	                 "--ns-ifname eth0 -t 127.0.0.1/8080:80 -t 127.0.0.1/5353:53 --netns /proc/self/fd/0");
}

TEST(slirp_never_reaches_the_host)
{
	const struct spec spec = { .network = NETWORK_PRIVATE };

	expect_arguments("slirp4netns", &spec, NULL,
	                 "--configure --mtu=65520 --disable-host-loopback --enable-sandbox --enable-seccomp --netns-type=path "
	                 "/proc/self/fd/0 eth0");
	expect_arguments("slirp4netns", &spec, "/run/x/api",
	                 "--configure --mtu=65520 --disable-host-loopback --enable-sandbox --enable-seccomp --netns-type=path "
	                 "--api-socket=/run/x/api --ready-fd=3 /proc/self/fd/0 eth0");
	ASSERT_STREQ(network_nameserver("slirp4netns"), "10.0.2.3");
	ASSERT_STREQ(network_nameserver("pasta"), "169.254.1.1");
}

TEST(slirp_requests)
{
	const struct spec_port port = { .host = 8080, .container = 80 };
	_str_ text = STR_INIT;

	slirp_request(&port, &text);
	ASSERT_STREQ(text.buf, "{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"tcp\",\"host_addr\":\"127.0.0.1\","
	             "\"host_port\":8080,\"guest_port\":80}}");
	ASSERT_EQ(slirp_answer("{\"return\":{\"id\":1}}"), 0);
	ASSERT_EQ(slirp_answer("{\"error\":{\"desc\":\"bad request: add_hostfwd: slirp_add_hostfwd failed\"}}"), -EIO);
	ASSERT_EQ(slirp_answer(""), -EIO);
}

TEST(reason)
{
	static const struct { const char *text, *want; } t[] = {
		{ "", "" },
		{ "\n\n", "" },
		{ "one\ntwo", "two" },
		{ "Failed to bind any port for '-t 127.0.0.1/81:1', exiting\n", "Failed to bind any port for '-t 127.0.0.1/81:1', exiting" },
		{ "the reason\nFailed to send 36 bytes to syslog\n\n", "the reason" },
		{ "Failed to send 36 bytes to syslog\n", "" },
		{ "\033[2J\n", "\\e[2J" },
		{ "No route\nExternal interface not usable\n",
		  "External interface not usable (this host has no default route; once it has one, restart the session)" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_str_ out = STR_INIT;

		network_reason(t[i].text, &out);
		ASSERT_STREQ(out.buf, t[i].want);
	}
}

/* A port of 127.0.0.1 that we listen on. */
static int taken_port(int64_t *ret)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ASSERT(fd >= 0);
	ASSERT_EQ(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	ASSERT_EQ(listen(fd, 1), 0);
	ASSERT_EQ(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*ret = ntohs(at.sin_port);
	return fd;
}

static void expect_port(struct spec_port *ports, size_t n, int want, const char *part)
{
	const struct spec spec = { .network = NETWORK_PRIVATE, .ports = { .items = ports, .len = n } };
	_err_ err = ERR_INIT;

	ASSERT_EQ(network_check_ports(&spec, &err), want);
	if (want < 0 && strstr(err.msg, part) == NULL)
		test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", err.msg, part);
}

static int port_start(void)
{
	_str_ text = STR_INIT;

	return file_read(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start", 32, &text) < 0 ? 1024 : atoi(text.buf);
}

TEST(ports_are_looked_at_before)
{
	struct spec_port taken = { .container = 80 }, low = { 80, 80 }, twice[2];
	const int fd = taken_port(&taken.host);

	expect_port(&taken, 1, -EADDRINUSE, "something else listens on it");
	close(fd);
	expect_port(&taken, 1, 0, "");
	twice[0] = twice[1] = taken;
	expect_port(twice, 2, -EINVAL, "twice");
	if (port_start() > 80)
		expect_port(&low, 1, -EACCES, "cannot publish port 80: ports below ");
}
