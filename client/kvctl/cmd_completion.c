/* completion bash: a script made from the tables of commands and flags, so it cannot be out of
 * date. kvctl.bash, which packages install, asks for it when it is first needed. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "output.h"

static void print_flag_names(const struct flag *flags)
{
    for (; flags != NULL && flags->name != NULL; flags++) {
        (void)printf(" --%s", flags->name);
    }
}

/* The first words, each once; or the second words of one first word. */
static void print_words(const char *group)
{
    const char *last = "";
    size_t last_len = 0;

    for (const struct command *const *c = ctl_commands; *c != NULL; c++) {
        const char *name = (*c)->name;
        size_t len = strcspn(name, " ");

        if (group == NULL && (len != last_len || strncmp(name, last, len) != 0)) {
            (void)printf(" %.*s", (int)len, name);
        } else if (group != NULL && strlen(group) == len && strncmp(name, group, len) == 0 &&
                   name[len] == ' ') {
            (void)printf(" %s", name + len + 1);
        }
        last = name;
        last_len = len;
    }
}

static void print_groups(void)
{
    const char *last = "";

    for (const struct command *const *c = ctl_commands; *c != NULL; c++) {
        char group[32];
        size_t len = strcspn((*c)->name, " ");

        if ((*c)->name[len] != ' ' || strncmp(last, (*c)->name, len) == 0) {
            continue;
        }
        (void)snprintf(group, sizeof group, "%.*s", (int)len, (*c)->name);
        (void)printf("    '%s') words=\"", group);
        print_words(group);
        (void)printf("\" ;;\n");
        last = (*c)->name;
    }
}

static int completion_run(struct ctl *ctl)
{
    (void)ctl;
    (void)printf("_kvctl()\n{\n"
                 "    local cur=${COMP_WORDS[COMP_CWORD]} words flags word last='' command=''\n"
                 "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                 "        [[ $word == -* || $last == -w || $last == --write-out ]] ||\n"
                 "            command+=\"${command:+ }$word\"\n"
                 "        last=$word\n"
                 "    done\n"
                 "    if [[ $last == -w || $last == --write-out ]]; then\n"
                 "        COMPREPLY=($(compgen -W \"");
    for (size_t i = 0; printer_at(i) != NULL; i++) {
        (void)printf("%s%s", i > 0 ? " " : "", printer_at(i)->name);
    }
    (void)printf("\" -- \"$cur\"))\n"
                 "        return\n"
                 "    fi\n"
                 "    flags=\"");
    print_flag_names(ctl_global_flags);
    (void)printf("\"\n    case $command in\n    '') words=\"");
    print_words(NULL);
    (void)printf("\" ;;\n");
    print_groups();
    (void)printf("    esac\n    case $command in\n");
    for (const struct command *const *c = ctl_commands; *c != NULL; c++) {
        if ((*c)->flags != NULL) {
            (void)printf("    '%s'*) flags+=\"", (*c)->name);
            print_flag_names((*c)->flags);
            (void)printf("\" ;;\n");
        }
    }
    (void)printf("    esac\n"
                 "    [[ $cur == -* ]] && words=$flags\n"
                 "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
                 "complete -o default -F _kvctl kvctl\n");
    return EXIT_OK;
}

const struct command command_completion_bash = {
    "completion bash", "", "Prints the completion script for bash", NULL, completion_run};
