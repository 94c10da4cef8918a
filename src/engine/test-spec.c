#include "base/test.h"
#include "engine/crun/runtime.h"
#include "engine/spec.h"

#include <errno.h>

TEST(volumes)
{
	static const struct { const char *in; int want; const char *source, *target; bool read_only; } t[] = {
		{ "/a:/b", 0, "/a", "/b", false }, { ".:/work:ro", 0, ".", "/work", true }, { "/a:/b:z", 0, "/a", "/b", false },
		{ "/a:/b:ro,Z", 0, "/a", "/b", true }, { "/a:/b:rw", 0, "/a", "/b", false }, { "/a", -EINVAL, NULL, NULL, false },
		{ ":/b", -EINVAL, NULL, NULL, false }, { "/a:b", -EINVAL, NULL, NULL, false }, { "/a:/", -EINVAL, NULL, NULL, false },
		{ "/a:/b/../..", -EINVAL, NULL, NULL, false }, { "/a:/b/../c", -EINVAL, NULL, NULL, false },
		{ "/a:/b:rx", -EINVAL, NULL, NULL, false }, { "/a:/b:ro,", -EINVAL, NULL, NULL, false },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct spec_volume v = { 0 };

		ASSERT_EQ(spec_volume_parse(t[i].in, &v, NULL), t[i].want);
		if (t[i].want == 0) {
			ASSERT_STREQ(v.source, t[i].source);
			ASSERT_STREQ(v.target, t[i].target);
			ASSERT_EQ(v.read_only, t[i].read_only);
		}
		free(v.source);
		free(v.target);
	}
}

TEST(named_volumes)
{
	static const struct { const char *in; int want; const char *name; bool read_only, is_owned; } t[] = {
		{ "data:/b", 0, "data", false, false }, { "a.b_c-1:/b:ro", 0, "a.b_c-1", true, false },
		{ "data:/b:owned", 0, "data", false, true }, { "data:/b:ro,owned", 0, "data", true, true },
		{ "./data:/b", 0, NULL, false, false }, { "..:/b", 0, NULL, false, false }, { "./a:/b:owned", -EINVAL, NULL, false, false },
		{ ".data:/b", -EINVAL, NULL, false, false }, { "-x:/b", -EINVAL, NULL, false, false }, { "a b:/b", -EINVAL, NULL, false, false },
		{ "...:/b", -EINVAL, NULL, false, false },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct spec_volume v = { 0 };

		ASSERT_EQ(spec_volume_parse(t[i].in, &v, NULL), t[i].want);
		if (t[i].want == 0 && t[i].name != NULL) {
			ASSERT_STREQ(v.name, t[i].name);
			ASSERT_EQ(v.source, NULL);
		} else {
			ASSERT_EQ(v.name, NULL);
		}
		ASSERT_EQ(v.read_only, t[i].read_only);
		ASSERT_EQ(v.is_owned, t[i].is_owned);
		free(v.source);
		free(v.target);
		free(v.name);
	}
}

TEST(ports)
{
	static const struct { const char *in; int want; int host, container; } t[] = {
		{ "8080:80", 0, 8080, 80 }, { "22", 0, 22, 22 }, { "0:1", -EINVAL, 0, 0 }, { "65536", -EINVAL, 0, 0 },
		{ "80:", -EINVAL, 0, 0 }, { ":80", -EINVAL, 0, 0 }, { "1:2:3", -EINVAL, 0, 0 }, { "", -EINVAL, 0, 0 },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct spec_port p = { 0 };

		ASSERT_EQ(spec_port_parse(t[i].in, &p, NULL), t[i].want);
		ASSERT_EQ(p.host, t[i].host);
		ASSERT_EQ(p.container, t[i].container);
	}
}

TEST(a_spec_is_read_as_it_was_written)
{
	static const char text[] =
		"{\"engine\":\"crun\",\"image\":{\"label\":\"x\",\"layers\":[\"/a\",\"/b\"]},\"command\":[\"sh\",\"-c\",\"\"],"
		"\"env\":[\"A=1\"],\"makes_cwd\":false,\"user\":{\"name\":\"u\",\"uid\":1000,\"gid\":4294967294},\"map\":\"0:1:1;0:1:1\","
		"\"read_only\":true,\"remove_at_end\":false,"
		"\"volumes\":[{\"source\":\"/s\",\"target\":\"/t\",\"read_only\":true,\"owned\":false}],"
		"\"memory_bytes\":1,\"pids\":0,\"cpus\":0.5,\"network\":\"private\",\"network_joined\":\"none\","
		"\"ports\":[{\"host\":1,\"container\":2}],"
		"\"secrets\":[{\"name\":\"s\",\"file\":\"/f\"}],\"labels\":{\"a\":\"b=c\"},"
		"\"restart\":\"always\",\"restart_max\":0,\"restart_first_ms\":1,\"restart_longest_ms\":2,\"restart_forgiven_ms\":3,"
		"\"rows\":24,\"cols\":80,\"record_input\":false,\"record_bytes\":0}";
	_cleanup_(spec_release) struct spec s = { 0 };
	_str_ out = STR_INIT;
	_err_ err = ERR_INIT;

	ASSERT_OK(json_decode(text, strlen(text), &spec_object, &s, &err));
	json_encode(&out, &spec_object, &s);
	ASSERT_STREQ(out.buf, text);
	ASSERT(spec_has_limits(&s));
}

TEST(secrets_come_from_files_and_variables)
{
	static const char *const bad[] = { "", "a", "a=", "=f", "a=env:", "../a=f", ".a=f", "a b=f" };
	struct spec_secret s;
	_str_ value = STR_INIT;
	_err_ err = ERR_INIT;

	for (size_t i = 0; i < array_len(bad); i++)
		ASSERT(spec_secret_parse(bad[i], &s, NULL) < 0);
	ASSERT_OK(spec_secret_parse("a=b=c", &s, NULL));
	ASSERT_STREQ(s.file, "b=c");
	ASSERT_EQ(spec_secret_read(&s, &value, &err), -ENOENT);
	ASSERT_STREQ(err_msg(&err), "the secret 'a': cannot read 'b=c': No such file or directory");
	free(s.name);
	free(s.file);
	ASSERT_OK(spec_secret_parse("a=env:PTERM_TEST_SECRET", &s, NULL));
	ASSERT_EQ(spec_secret_read(&s, &value, NULL), -ENOENT);
	setenv("PTERM_TEST_SECRET", "x y", 1);
	ASSERT_OK(spec_secret_read(&s, &value, NULL));
	ASSERT_STREQ(value.buf, "x y");
	free(s.name);
	s.name = (char *)"z";
	free(s.variable);
	s.variable = NULL;
	s.file = (char *)"/dev/zero";
	ASSERT_EQ(spec_secret_read(&s, &value, NULL), -EFBIG);
}

TEST(runtime_versions)
{
	static const struct { const char *in; int want; enum runtime_kind kind; const char *version; } t[] = {
		{ "crun version 1.21\ncommit: x\n", 0, RUNTIME_CRUN, "1.21" },
		{ "runc version 1.1.5+ds1\nspec: 1.0.2\n", 0, RUNTIME_RUNC, "1.1.5+ds1" },
		{ "youki version: 0.3.3\n", 0, RUNTIME_YOUKI, "0.3.3" },
		{ "crun version UNKNOWN\n", -EINVAL, 0, NULL }, { "docker version 1\n", -EINVAL, 0, NULL }, { "", -EINVAL, 0, NULL },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		struct runtime rt = { 0 };

		ASSERT_EQ(runtime_parse_version(t[i].in, &rt), t[i].want);
		if (t[i].want == 0) {
			ASSERT_EQ(rt.kind, t[i].kind);
			ASSERT_STREQ(rt.version, t[i].version);
		}
	}
	ASSERT(version_compare("1.8.1", "1.14") < 0);
	ASSERT(version_compare("1.14", "1.14") == 0);
	ASSERT(version_compare("1.14.1", "1.14") > 0);
	ASSERT(version_compare("2", "1.14") > 0);
	ASSERT(version_compare("1.1.5+ds1", "1.1") > 0);
}
