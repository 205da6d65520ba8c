module tentacular.local/pause

go 1.24
