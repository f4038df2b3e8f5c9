#include "store/notify.h"
#include <string.h>

/* Ids of the frames that have rows, by "source pipeline": neither name has a space. */
static GHashTable *group_frames(const Batch *batch) {
    GHashTable *groups =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_array_unref);
    for (guint i = 0; i < batch->documents->len; i++) {
        const Document *document = g_ptr_array_index(batch->documents, i);
        if (!document->has_row)
            continue;
        g_autofree char *group = g_strdup_printf("%s %s", document->source, document->pipeline);
        JsonArray *ids = g_hash_table_lookup(groups, group);
        if (ids == NULL) {
            ids = json_array_new();
            g_hash_table_insert(groups, g_steal_pointer(&group), ids);
        }
        json_array_add_string_element(ids, document->frame_id);
    }
    return groups;
}

static void publish_group(Bus *bus, const char *source, const char *pipeline, JsonArray *ids) {
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    json_node_take_object(root, object);
    json_object_set_string_member(object, "pipeline", pipeline);
    json_object_set_array_member(object, "frame_ids", json_array_ref(ids));
    g_autofree char *body = json_to_string(root, FALSE);
    g_autofree char *subject = g_strdup_printf("scopestream.stored.%s", source);
    bus_publish(bus, subject, NULL, body, strlen(body), NULL);
}

void notify_stored(Bus *bus, const Batch *batch) {
    g_autoptr(GHashTable) groups = group_frames(batch);
    GHashTableIter each;
    gpointer group, ids;
    g_hash_table_iter_init(&each, groups);
    while (g_hash_table_iter_next(&each, &group, &ids)) {
        g_auto(GStrv) names = g_strsplit(group, " ", 2);
        publish_group(bus, names[0], names[1], ids);
    }
}
