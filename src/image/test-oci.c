#include "image/archive.h"
#include "image/layer-list.h"
#include "image/name.h"
#include "image/oci.h"

#include "base/test.h"

#include <errno.h>

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"

TEST(names_have_one_form)
{
	static const struct { const char *typed, *clean, *repository; } t[] = {
		{ "debian", "debian:latest", "docker.io/library/debian" },
		{ "debian:12", "debian:12", "docker.io/library/debian" },
		{ "docker.io/library/debian:12", "debian:12", "docker.io/library/debian" },
		{ "docker://docker.io/debian", "debian:latest", "docker.io/library/debian" },
		{ "me/tools", "me/tools:latest", "docker.io/me/tools" },
		{ "localhost/a", "localhost/a:latest", "localhost/a" },
		{ "localhost:5000/a/b:x", "localhost:5000/a/b:x", "localhost:5000/a/b" },
		{ "Registry.Example.com/a", "registry.example.com/a:latest", "registry.example.com/a" },
		{ "Docker.IO/library/debian", "debian:latest", "docker.io/library/debian" },
		{ "127.0.0.1:5000/a@" D1, "127.0.0.1:5000/a@" D1, "127.0.0.1:5000/a" },
		{ "a:1@" D1, "a:1@" D1, "docker.io/library/a" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_free_ char *clean = NULL;
		_free_ char *again = NULL;
		_free_ char *repository = NULL;
		_err_ err = ERR_INIT;

		ASSERT_EQ(name_clean(t[i].typed, &clean, &err), 0);
		ASSERT_STREQ(clean, t[i].clean);
		ASSERT_EQ(name_clean(clean, &again, &err), 0);
		ASSERT_STREQ(again, clean);
		repository = name_repository(clean);
		ASSERT_STREQ(repository, t[i].repository);
	}
}

TEST(what_is_no_name_is_refused)
{
	static const char *const t[] = { "", ":", "a:", "a:b:c", "A", "a b", "a//b", "/a", "a/", "-a", "a:-x", "a@sha256:12",
		"a@" D1 "0", "a:\033[2J", "../a", "a/../b", "host:port/A", "a@b",
		"quay.io./a", "quay.io.:443/a" };

	for (size_t i = 0; i < array_len(t); i++) {
		_free_ char *clean = NULL;
		_err_ err = ERR_INIT;

		if (name_clean(t[i], &clean, &err) != -EINVAL)
			test_fail(__FILE__, __LINE__, "'%s' became '%s'", t[i], clean ? clean : "");
	}
}

static int document(const char *text, struct oci_document *ret, struct err *err)
{
	return oci_read_document("it", text, strlen(text), ret, err);
}

TEST(a_manifest_is_read_and_written)
{
	_oci_document_ d = { 0 };
	_oci_document_ again = { 0 };
	_str_ text = STR_INIT;
	_err_ err = ERR_INIT;

	ASSERT_EQ(document("{\"schemaVersion\":2,\"config\":{\"digest\":\"" D1 "\",\"size\":3,\"mediaType\":\"c\"},\"layers\":["
	                   "{\"digest\":\"" D2 "\",\"size\":5,\"mediaType\":\"l\",\"annotations\":{\"other\":\"x\"}}]}", &d, &err), 0);
	ASSERT_EQ(d.layers.len, 1);
	ASSERT_EQ(d.layers.items[0].size, 5);
	oci_write_manifest(&d.config, &d.layers, &text);
	ASSERT_EQ(oci_read_manifest("it", text.buf, text.len, &again, &err), 0);
	ASSERT_STREQ(again.config.digest, D1);
	ASSERT_STREQ(again.layers.items[0].digest, D2);
}

TEST(documents_that_cannot_be_used_are_refused)
{
	static const struct { const char *text, *says; } t[] = {
		{ "[]", "must be an object" },
		{ "{\"schemaVersion\":1}", "it is of schema version 1" },
		{ "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:../../x\",\"size\":1}}", "no SHA-256 digest" },
		{ "{\"schemaVersion\":2,\"config\":{\"digest\":\"" D1 "\",\"size\":-1}}", "'size' must be between" },
		{ "{\"schemaVersion\":2,\"config\":{\"digest\":\"" D1 "\",\"size\":1},\"layers\":[{\"digest\":\"md5:1\",\"size\":1}]}",
		  "the digest 'md5:1' of one of its layers is no SHA-256 digest" },
		{ "{\"schemaVersion\":2,\"config\":{\"digest\":\"" D1 "\",\"size\":1},\"layers\":[{\"digest\":\"" D1 "\",\"size\":1,"
		  "\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip+encrypted\"}]}", "layer 1 is encrypted" },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_oci_document_ d = { 0 };
		_err_ err = ERR_INIT;

		ASSERT_EQ(document(t[i].text, &d, &err), -EINVAL);
		if (strstr(err_msg(&err), t[i].says) == NULL)
			test_fail(__FILE__, __LINE__, "it says \"%s\", not \"%s\"", err_msg(&err), t[i].says);
		ASSERT(d.config.digest == NULL);
	}
}

TEST(the_platform_of_this_machine_is_chosen)
{
	_free_ char *text = xasprintf("{\"schemaVersion\":2,\"manifests\":["
		"{\"digest\":\"" D1 "\",\"size\":1,\"platform\":{\"os\":\"linux\",\"architecture\":\"made-up\"}},"
		"{\"digest\":\"" D2 "\",\"size\":1,\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\"}}]}", oci_architecture());
	_oci_document_ d = { 0 };
	_err_ err = ERR_INIT;
	const struct oci_descriptor *found;

	ASSERT_EQ(document(text, &d, &err), 0);
	found = oci_choose("it", &d, &err);
	ASSERT(found != NULL);
	ASSERT_STREQ(found->digest, D2);
	free(d.manifests.items[1].platform.architecture);
	d.manifests.items[1].platform.architecture = xstrdup("other");
	ASSERT(oci_choose("it", &d, &err) == NULL);
	ASSERT(strstr(err_msg(&err), "it has linux/made-up, linux/other") != NULL);
}

TEST(a_configuration_must_be_usable)
{
	static const struct { const char *text; int r; } t[] = {
		{ "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1 "\"]},\"config\":null}", 0 },
		{ "{\"rootfs\":{\"diff_ids\":[\"" D1 "\"]},\"config\":{\"Cmd\":null,\"Env\":[\"A=b\"],\"WorkingDir\":\"\"}}", 0 },
		{ "{\"rootfs\":{\"diff_ids\":[]}}", -EINVAL },
		{ "{\"rootfs\":{\"diff_ids\":[\"../x\"]}}", -EINVAL },
		{ "{\"rootfs\":{\"diff_ids\":[\"" D1 "\"]},\"config\":{\"Env\":[\"A\"]}}", -EINVAL },
		{ "{\"rootfs\":{\"diff_ids\":[\"" D1 "\"]},\"config\":{\"WorkingDir\":\"x\"}}", -EINVAL },
		{ "{}", -EINVAL },
	};

	for (size_t i = 0; i < array_len(t); i++) {
		_oci_config_ c = { 0 };
		_err_ err = ERR_INIT;

		ASSERT_EQ(oci_read_config("it", t[i].text, strlen(t[i].text), &c, &err), t[i].r);
	}
}

TEST(records_of_a_list_go_round)
{
	static const char *const bad[] = { "", "f", "f 644 0 0 1 2 -", "f 644 0 0 1 2 - ", "x 644 0 0 1 2 - a", "f 8 0 0 1 2 - a",
		"f 644 0 0 1 x - a" };
	const struct list_record r = { .kind = 'f', .mode = 04755, .uid = 1, .gid = 2, .size = 3, .mtime_ns = -4, .digest = "abc",
	                               .path = "a b/\n c" };
	struct list_record got;
	_str_ text = STR_INIT;

	list_record_write(&text, &r);
	ASSERT_EQ(list_record_read(text.buf, &got), 0);
	ASSERT_EQ(got.mode, 04755);
	ASSERT_EQ(got.mtime_ns, -4);
	ASSERT_STREQ(got.path, "a b/\n c");
	ASSERT(strncmp(got.digest, "abc ", 4) == 0);
	for (size_t i = 0; i < array_len(bad); i++)
		if (list_record_read(bad[i], &got) != -EINVAL)
			test_fail(__FILE__, __LINE__, "'%s' was read", bad[i]);
}
