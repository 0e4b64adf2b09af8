#include "kube/version.h"

/* goVersion and compiler are what clients print as they find it; they name what this is. */
void kube_version_write(struct buf *to)
{
    buf_append_str(to, "{\n  \"major\": \"" KUBE_VERSION_MAJOR "\",\n"
                       "  \"minor\": \"" KUBE_VERSION_MINOR "\",\n"
                       "  \"gitVersion\": \"" KUBE_VERSION "\",\n"
                       "  \"gitCommit\": \"\",\n"
                       "  \"gitTreeState\": \"clean\",\n"
                       "  \"buildDate\": \"1970-01-01T00:00:00Z\",\n"
                       "  \"goVersion\": \"none\",\n"
                       "  \"compiler\": \"cc\",\n"
                       "  \"platform\": \"linux/amd64\"\n}");
}
