#include "wire/frame.h"

#include <endian.h>
#include <errno.h>

void frame_header(char out[FRAME_HEADER], uint16_t type, size_t len, size_t fd_count)
{
	const uint32_t n = htole32((uint32_t)len);
	const uint16_t t = htole16(type);

	memcpy(out, &n, 4);
	memcpy(out + 4, &t, 2);
	out[6] = (char)fd_count;
	out[7] = 0;
}

int frame_feed(struct frame_reader *r, const void *data, size_t n, const int *fds, size_t fd_count)
{
	if (r->fd_count + fd_count > FRAME_FDS_QUEUED_MAX) {
		for (size_t i = 0; i < fd_count; i++)
			fd_close(fds[i]);
		return -EPROTO;
	}
	for (size_t i = 0; i < fd_count; i++)
		r->fds[r->fd_count++] = fds[i];
	if (r->at > 0) {                         /* forget what was handed out */
		memmove(r->in.buf, r->in.buf + r->at, r->in.len - r->at + 1);
		r->in.len -= r->at;
		r->at = 0;
	}
	str_add(&r->in, data, n);
	return 0;
}

int frame_next(struct frame_reader *r, struct frame *ret)
{
	const size_t have = r->in.len - r->at;
	const char *p = r->in.buf + r->at;
	uint32_t len;
	uint16_t type;
	size_t fd_count;

	if (have < FRAME_HEADER)
		return 0;
	memcpy(&len, p, 4);
	memcpy(&type, p + 4, 2);
	len = le32toh(len);
	fd_count = (unsigned char)p[6];
	if (len > FRAME_MAX || fd_count > FD_PASS_MAX || p[7] != 0)
		return -EPROTO;
	if (have < FRAME_HEADER + len)
		return 0;
	if (fd_count > r->fd_count)              /* they travel with the first byte: they would be here */
		return -EPROTO;
	*ret = (struct frame){ .type = le16toh(type), .data = p + FRAME_HEADER, .len = len, .fd_count = fd_count };
	memcpy(ret->fds, r->fds, fd_count * sizeof(int));
	r->fd_count -= fd_count;
	memmove(r->fds, r->fds + fd_count, r->fd_count * sizeof(int));
	r->at += FRAME_HEADER + len;
	return 1;
}

void frame_close_fds(struct frame *f)
{
	for (size_t i = 0; i < f->fd_count; i++)
		f->fds[i] = fd_close(f->fds[i]);
	f->fd_count = 0;
}

void frame_reader_release(struct frame_reader *r)
{
	for (size_t i = 0; i < r->fd_count; i++)
		fd_close(r->fds[i]);
	str_release(&r->in);
	*r = (struct frame_reader)FRAME_READER_INIT;
}
