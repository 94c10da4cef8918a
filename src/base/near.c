#include "base/near.h"

#include "base/str.h"

/* Edits (insert, delete, replace, swap two neighbours) from @a to @b, both short; more than @limit is limit + 1. */
static size_t distance(const char *a, const char *b, size_t limit)
{
	enum { LONGEST = 32 };
	size_t d[LONGEST + 1][LONGEST + 1];
	const size_t n = strlen(a), m = strlen(b);

	if (n > LONGEST || m > LONGEST)
		return limit + 1;
	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = min_size(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
			                   min_size(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = min_size(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return min_size(d[n][m], limit + 1);
}

static size_t limit_of(const char *word)
{
	const size_t n = strlen(word);

	return n < 2 ? 0 : n < 4 ? 1 : 2;        /* any letter is one edit from any other */
}

struct near near_to(const char *word)
{
	return (struct near){ .word = word, .least = limit_of(word) + 1 };
}

void near_offer(struct near *n, const char *candidate)
{
	size_t d = distance(n->word, candidate, limit_of(n->word));

	if (strlen(n->word) >= 2 && str_starts(candidate, n->word))
		d = min_size(d, 1);
	if (d < n->least) {
		n->least = d;
		n->best = candidate;
	}
}
