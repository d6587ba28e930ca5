# files of admin/
