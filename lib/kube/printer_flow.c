/* Which requests the API server takes first. */
#include "kube/printer_int.h"

#define FLOW(message) "flowcontrol.v1." message

/* ---- flow schemas ---- */

static const struct kube_column schema_columns[] = {
    PRINTER_NAME,
    {"PriorityLevel", "string", "", 0,
     PRINTER_DOC(FLOW("PriorityLevelConfigurationReference"), "name")},
    {"MatchingPrecedence", "string", "", 0,
     PRINTER_DOC(FLOW("FlowSchemaSpec"), "matchingPrecedence")},
    {"DistinguisherMethod", "string", "", 0,
     PRINTER_DOC(FLOW("FlowSchemaSpec"), "distinguisherMethod")},
    PRINTER_AGE,
    {"MissingPL", "string", "", 0,
     PRINTER_SAYS("references a broken or non-existent PriorityLevelConfiguration")},
};

static void schema_cells(struct kube_row *row)
{
    yyjson_mut_val *method = printer_at(row->object, "spec.distinguisherMethod");
    yyjson_mut_val *dangling =
        printer_with(printer_at(row->object, "status.conditions"), "type", "Dangling");

    kube_cell_name(row);
    printer_cell_str(row, "spec.priorityLevelConfiguration.name");
    printer_cell_int(row, "spec.matchingPrecedence");
    if (yyjson_mut_is_obj(method)) {
        kube_cell_text(row, kube_json_get_str(method, "type"));
    } else {
        kube_cell_text(row, VIEW_LITERAL("<none>"));
    }
    kube_cell_age(row);
    if (dangling != NULL) {
        kube_cell_text(row, kube_json_get_str(dangling, "status"));
    } else {
        kube_cell_text(row, VIEW_LITERAL("?"));
    }
}

/* ---- priority levels ---- */

static const struct kube_column level_columns[] = {
    PRINTER_NAME,
    {"Type", "string", "", 0, PRINTER_DOC(FLOW("PriorityLevelConfigurationSpec"), "type")},
    {"NominalConcurrencyShares", "string", "", 0,
     PRINTER_DOC(FLOW("LimitedPriorityLevelConfiguration"), "nominalConcurrencyShares")},
    {"Queues", "string", "", 0, PRINTER_DOC(FLOW("QueuingConfiguration"), "queues")},
    {"HandSize", "string", "", 0, PRINTER_DOC(FLOW("QueuingConfiguration"), "handSize")},
    {"QueueLengthLimit", "string", "", 0,
     PRINTER_DOC(FLOW("QueuingConfiguration"), "queueLengthLimit")},
    PRINTER_AGE,
};

/* A number of what is there, else "<none>". */
static void level_cell(struct kube_row *row, yyjson_mut_val *of, const char *name)
{
    if (yyjson_mut_is_obj(of)) {
        kube_cell_int(row, printer_int(of, name));
    } else {
        kube_cell_text(row, VIEW_LITERAL("<none>"));
    }
}

static void level_cells(struct kube_row *row)
{
    yyjson_mut_val *limited = printer_at(row->object, "spec.limited");
    yyjson_mut_val *queuing = printer_at(limited, "limitResponse.queuing");

    kube_cell_name(row);
    printer_cell_str(row, "spec.type");
    level_cell(row, limited, "nominalConcurrencyShares");
    level_cell(row, queuing, "queues");
    level_cell(row, queuing, "handSize");
    level_cell(row, queuing, "queueLengthLimit");
    kube_cell_age(row);
}

const struct kube_printer printers_flow[] = {
    PRINTER_OF("flowschemas", schema_columns, schema_cells),
    PRINTER_OF("prioritylevelconfigurations", level_columns, level_cells),
    {0},
};
