/* The disk of this machine is not what is tested here. Visible: in SQLite's library too. */
#ifndef TESTS_UNIT_NO_SYNC_H
#define TESTS_UNIT_NO_SYNC_H

__attribute__((visibility("default"))) int fsync(int fd);
__attribute__((visibility("default"))) int fdatasync(int fd);

int
fsync(int fd)
{
	(void)fd;
	return 0;
}

int
fdatasync(int fd)
{
	(void)fd;
	return 0;
}

#endif
