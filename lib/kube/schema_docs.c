/* Descriptions of the API's types, apart from schema.c: a static library's object is linked only
 * into programs that call it, and the texts are larger than all other tables together. */
#include "kube/schema.h"

const char *kube_message_doc(const struct kube_message *m)
{
    return kube_table_doc_strings + kube_table_message_docs[kube_message_id_of(m)];
}

const char *kube_field_doc(const struct kube_field *f)
{
    return kube_table_doc_strings + kube_table_field_docs[f - kube_table_fields];
}
