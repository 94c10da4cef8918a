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
		"\"read_only\":true,\"remove_at_end\":false,\"volumes\":[{\"source\":\"/s\",\"target\":\"/t\",\"read_only\":true}],"
		"\"memory_bytes\":1,\"pids\":0,\"cpus\":0.5,\"network\":\"private\",\"ports\":[{\"host\":1,\"container\":2}],"
		"\"restart\":\"always\",\"restart_max\":0,\"rows\":24,\"cols\":80,\"record_input\":false,\"record_bytes\":0}";
	_cleanup_(spec_release) struct spec s = { 0 };
	_str_ out = STR_INIT;
	_err_ err = ERR_INIT;

	ASSERT_OK(json_decode(text, strlen(text), &spec_object, &s, &err));
	json_encode(&out, &spec_object, &s);
	ASSERT_STREQ(out.buf, text);
	ASSERT(spec_has_limits(&s));
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
