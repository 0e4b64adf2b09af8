# bash completion for kvctl: the program makes it from its own tables.
if command -v kvctl > /dev/null; then
    eval "$(kvctl completion bash)"
fi
