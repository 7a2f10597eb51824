/* The certificates of a run and the file that clients read their authority from. */
#include "tls.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool make_folder(struct emu_tls *tls)
{
    const char *parent = getenv("TMPDIR");
    char *folder = emu_format("%s/nexauth-emulator-XXXXXX", parent && *parent ? parent : "/tmp");

    if (!mkdtemp(folder)) {
        free(folder);
        return false;
    }
    tls->folder = folder;
    tls->file = emu_format("%s/ca.pem", folder);
    return true;
}

static bool write_authority(const struct emu_tls *tls)
{
    size_t length = strlen(tls->certificates.authority);
    int descriptor = open(tls->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);

    if (descriptor < 0)
        return false;
    ssize_t written = write(descriptor, tls->certificates.authority, length);
    return close(descriptor) == 0 && written == (ssize_t)length;
}

bool emu_tls_init(struct emu_tls *tls, const char *path)
{
    int failed = 0;

    *tls = (struct emu_tls){0};
    failed = emu_certificates_make(&tls->certificates);
    if (!failed)
        failed = gnutls_session_ticket_key_generate(&tls->ticket_key);
    if (failed) {
        fprintf(stderr, "nexauth-emulator: The certificates cannot be made: %s\n", gnutls_strerror(failed));
        return false;
    }
    if (path)
        tls->file = emu_copy(path, strlen(path));
    if ((path || make_folder(tls)) && write_authority(tls))
        return true;
    fprintf(stderr, "nexauth-emulator: The CA file %s cannot be written: %s.\n", tls->file ? tls->file : "",
            strerror(errno));
    return false;
}

void emu_tls_release(struct emu_tls *tls)
{
    if (tls->folder) {
        unlink(tls->file);
        rmdir(tls->folder);
    }
    if (tls->ticket_key.data) {
        gnutls_memset(tls->ticket_key.data, 0, tls->ticket_key.size);
        gnutls_free(tls->ticket_key.data);
    }
    emu_certificates_release(&tls->certificates);
    free(tls->file);
    free(tls->folder);
    *tls = (struct emu_tls){0};
}
