module tentacular.io/examples/echo

go 1.24
