#include "service/access.h"

#include "base/str.h"

#include <errno.h>

static const struct { enum right right; const char *what; } rights[] = {
	{ RIGHT_SEE, "see sessions" },
	{ RIGHT_TYPE, "type into sessions" },
	{ RIGHT_RUN, "execute commands in sessions" },
	{ RIGHT_CONTROL, "make, change and remove sessions" },
};

int access_check(const struct who *who, unsigned wanted, struct err *err)
{
	const unsigned missing = wanted & ~who->rights;
	_str_ what = STR_INIT;

	if (missing == 0)
		return 0;
	if (!who->is_known)
		return err_set(err, EACCES, "not-signed-in", "show who you are: a bearer token is needed");
	for (size_t i = 0; i < array_len(rights); i++)
		if (missing & rights[i].right)
			str_addf(&what, "%s%s", what.len > 0 ? ", " : "", rights[i].what);
	return err_set(err, EPERM, "not-allowed", "'%s' may not %s", who->name, what.buf);
}
