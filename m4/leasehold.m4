# LH_COMPILE_FLAGS(FLAG ...)
# Append to LH_CFLAGS those of the flags that the compiler takes.
AC_DEFUN([LH_COMPILE_FLAGS], [
for lh_flag in $1; do
	AC_MSG_CHECKING([whether $CC takes $lh_flag])
	lh_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -Werror $lh_flag"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
		[AC_MSG_RESULT([yes])
		 LH_CFLAGS="$LH_CFLAGS $lh_flag"],
		[AC_MSG_RESULT([no])])
	CFLAGS=$lh_save_CFLAGS
done
])
