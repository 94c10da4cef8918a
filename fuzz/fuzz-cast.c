/* An asciicast that somebody made: it becomes a recording that can be read, or is refused with a sentence. */
#include "base/fd.h"
#include "base/path.h"
#include "term/cast-import.h"
#include "term/record.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(recording_closep) struct recording *rec = NULL;
	char dir[] = "/dev/shm/pterm-fuzz.XXXXXX", buf[4096];
	_fd_ fd = memfd_create("cast", MFD_CLOEXEC), dir_fd = -1;
	struct recording_cursor next = { 0 };
	struct recording_event e;
	struct cast_info info;
	_err_ err = ERR_INIT;

	if (fd < 0 || mkdtemp(dir) == NULL || fd_write_all(fd, data, n) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return 0;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cast_import(fd, "it", dir_fd, &info, &err) < 0) {
		if (err.msg == NULL)
			abort();
	} else if (recording_open(&rec, dir_fd, NULL) != 0 || info.size.rows < 1 || info.size.cols < 1) {
		abort();
	}
	while (rec != NULL && recording_next(rec, &next, buf, sizeof(buf), &e) == 1)
		;
	(void)path_remove_tree(AT_FDCWD, dir);
	return 0;
}
