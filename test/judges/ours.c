/*
 * Our screen beside its judges (test/judges/judges.py): each line of input is a stream, each line of output the screen
 * that it leads to. A line is ID ROWS COLS and then pieces, each fed by itself: bytes in hexadecimal, or @ROWSxCOLS, the
 * window's new size. The answer is an object with the id, what was answered, and what pterm screen -o json would say.
 */
#include "service/screen-json.h"

#include "base/json.h"

#include <stdio.h>

static void on_reply(void *data, const char *bytes, size_t n) { str_add(data, bytes, n); }
static const struct screen_ops ops = { .reply = on_reply };

static void feed_hex(struct screen *s, const char *hex)
{
	_str_ bytes = STR_INIT;
	unsigned byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		str_addc(&bytes, (char)byte);
	screen_feed(s, bytes.buf, bytes.len);
}

static void judge(char *line)
{
	char *rest = line, *id = strsep(&rest, " "), *part;
	_str_ answers = STR_INIT;
	_str_ state = STR_INIT;
	_str_ out = STR_INIT;
	struct json_writer w = JSON_WRITER(&out);
	struct shown shown = { 0 };
	unsigned rows = 0, cols = 0;
	int used = 0;

	if (rest == NULL || sscanf(rest, "%u %u%n", &rows, &cols, &used) != 2) {
		fprintf(stderr, "not a stream: %s\n", line);
		exit(1);
	}
	shown.screen = screen_new(rows, cols, &ops, &answers);
	rest += used;
	while ((part = strsep(&rest, " \n")) != NULL) {
		if (sscanf(part, "@%ux%u", &rows, &cols) == 2)
			screen_resize(shown.screen, rows, cols);
		else
			feed_hex(shown.screen, part);
	}
	screen_json(&shown, NULL, &state);
	json_begin(&w, NULL, '{');
	json_put_str(&w, "id", id);
	json_put_str(&w, "answers", answers.buf);
	json_put_raw(&w, "screen", state.buf);
	json_end(&w, '}');
	printf("%s\n", out.buf);
	screen_free(shown.screen);
}

int main(void)
{
	_free_ char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0)
		judge(line);
	return 0;
}
