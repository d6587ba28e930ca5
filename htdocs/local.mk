# files of htdocs/
