#include "ingest/watch.h"
#include <errno.h>
#include <linux/magic.h>
#include <sys/vfs.h>

/* File systems whose files change without this kernel's knowing. The numbers that linux/magic.h
 * lacks are those statfs(2) lists. */
static const struct {
    guint32 magic;
    const char *name;
} silent[] = {
    {NFS_SUPER_MAGIC, "NFS"},
    {SMB_SUPER_MAGIC, "SMB"},
    {SMB2_SUPER_MAGIC, "SMB"},
    {CIFS_SUPER_MAGIC, "SMB"},
    {V9FS_MAGIC, "9P"},
    {FUSE_SUPER_MAGIC, "FUSE"},
    {CEPH_SUPER_MAGIC, "Ceph"},
    {AFS_FS_MAGIC, "AFS"},
    {CODA_SUPER_MAGIC, "Coda"},
    {0x0bd00bd0, "Lustre"},
    {0x47504653, "Spectrum Scale"},
    {0x01161970, "GFS2"},
    {0x7461636f, "OCFS2"},
    {0xaad7aaea, "PanFS"},
    {0x786f4256, "a VirtualBox share"},
    {0xbacbacbc, "a VMware share"},
};

bool watch_is_possible(const char *folder, char **ret_why) {
    *ret_why = NULL;
    struct statfs status;
    if (statfs(folder, &status) < 0)
        return true;
    for (guint row = 0; row < G_N_ELEMENTS(silent); row++)
        if ((guint32)status.f_type == silent[row].magic) {
            *ret_why =
                g_strdup_printf("%s does not tell of changes made elsewhere", silent[row].name);
            return false;
        }
    return true;
}
