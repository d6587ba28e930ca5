// What the doctor says, in other languages than its own: admin/doctor*.c name
// each sentence, and what stands in it comes as arguments.  A remedy's commands
// stay as they are.
export const strings = {
	zh: {
		// ---- settings, users, database ----
		settings_bad: why => `设置有误：${why}`,
		settings_good: path => `${path} 没有问题`,
		settings_absent: path => `${path} 不存在：全部使用默认设置`,
		no_such_user: user => `没有用户 ${user}`,
		user_not_known: '尚不可知：还没有响应器运行过',
		runs_as: user => `${user}`,
		no_access: why => `权限不足：${why}`,
		not_usable: why => `数据库无法使用：${why}`,
		database_good: (store, schema) => `${store}，结构版本 ${schema}`,
		not_writable: why => `无法写入：${why}`,
		write_took: ms => `写入一次用时 ${ms} 毫秒（含等待）`,
		no_file: '数据库不是文件',
		path_failed: (path, why) => `${path}：${why}`,
		disk_left: (mib, path) => `${path} 剩余 ${mib} MiB`,
		query_failed: why => `查询失败：${why}`,
		check_settings: '可用 leasehold config check 再次检查；各项取值见 ' +
			'leasehold.conf(5)。',
		needs_no_root: '响应器不需要 root 权限：请为其设置专用用户' +
			'（spawn-fcgi -u leasehold -g leasehold），并让该用户拥有' +
			'数据库、主密钥和 run_dir。',
		look_as_them: user => `当前是其他用户：请以 root 或 ${user} 的` +
			'身份运行 doctor。',
		make_database: '用 leasehold init 创建数据库。',
		give_database: (user, folder, path) =>
			'把目录和数据库交给响应器的用户：\n' +
			`    chown ${user} ${folder} ${path}*`,
		stopped_holder: pid => `进程 ${pid} 停在事务之中；在它继续或结束之前` +
			`不会接受请求：\n    kill -CONT ${pid}\n    kill -KILL ${pid}`,
		long_holder: pid => `进程 ${pid} 的事务持续过久：是备份、报表，还是` +
			'磁盘太慢？',
		foreign_writer: '请查找写入该数据库的其他程序（sqlite3、备份）。',
		slow_disk: '每个请求都要等待这么久。磁盘是否缓慢、繁忙，或位于网络上？',
		make_room_spool: '请腾出空间：spool_dir 中没有文件时，中继响应器' +
			'无法启动。',
		make_room_log: '请腾出空间：在此期间日志行会丢失。',
		make_room: '请腾出空间：磁盘写满后不再接受请求。',
		// ---- keys, folders, log ----
		key_unreadable: why => `无法读取：${why}`,
		path_is: (path, described) => `${path}（${described}）`,
		key_fits: id => `主密钥“${id}”属于此数据库`,
		key_differs: why => `主密钥不匹配：${why}`,
		may_write: path => `${path} 可写`,
		spool_unreadable: why => `无法读取：${why}`,
		spool_waits: (n, folder, refused) => `${folder} 中有 ${n} 项结算等待` +
			`写入，${refused} 个文件被拒绝`,
		is_empty: path => `${path} 为空`,
		log_to: where => `日志：${where}`,
		restore_key: '请放回您保存的副本；leasehold init 只为新数据库生成' +
			'新密钥。',
		own_key: (user, path) => '它必须属于响应器的用户：\n' +
			`    chown ${user} ${path} && chmod 600 ${path}`,
		run_init: 'leasehold init',
		own_run_dir: (user, folder) => '响应器在此存放锁文件和套接字：\n' +
			`    install -d -m 0755 -o ${user} ${folder}\n` +
			'/run 在启动时清空，因此每次启动时（tmpfiles.d）：\n' +
			`    d ${folder} 0755 ${user} - -`,
		own_spool: (user, folder) => '缺少它时，如果数据库不可用且响应器随后' +
			'终止，请求将按估算计费：\n' +
			`    install -d -m 0750 -o ${user} ${folder}`,
		replay_spool: '数据库恢复后由响应器写入：请查看响应器是否运行，' +
			'以及日志中的 spool。名为 *.refused 的文件已损坏、属于其他系统，' +
			'或早于恢复的备份：其请求保持估算值，可以删除。',
		own_log: setting => `让响应器的用户可以写入，或修改设置 ${setting}。`,
		// ---- time ----
		clock_behind: now => `本机时钟为 ${now}，早于此版本的制作时间`,
		clock_skewed: (now, what, s) => `本机时钟为 ${now}，而数据库中有晚 ` +
			`${s} 秒的记录：时钟曾经回拨，或慢于其他主机`,
		clock_apart: s => `本机时钟与数据库服务器相差 ${s} 秒`,
		clock_good: now => `${now}，数据库中没有未来的记录`,
		zone_unknown: (budget, why) => `预算“${budget}”：${why}；` +
			'计入该预算的请求会被拒绝',
		no_zones: '没有预算使用时区',
		zones_known: n => `预算使用的 ${n} 个时区本机都有`,
		keep_time: '请用时间服务校准时钟：timedatectl set-ntp true，' +
			'或 chrony。',
		install_zones: '请在每台运行响应器的主机上安装时区数据：' +
			'apt install tzdata。',
		// ---- sockets, responders, jobs ----
		refused: path => `${path}：连接被拒绝，套接字存在但没有响应器在监听`,
		denied_to_you: (path, described) => `${path}：当前用户没有权限` +
			`（${described}）`,
		queue_full: path => `${path}：队列已满，响应器没有接受连接`,
		open_to_host: path => `${path} 接受连接，本机任何人均可连接`,
		open_to_others: path => `${path} 接受连接，其他主机可能也能连接`,
		no_socket: (path, described) => `${path} 不是套接字（${described}）`,
		open_to_all: (path, described) => `${path} 接受连接，本机任何人均可` +
			`连接（${described}）`,
		closed_to_web: (path, why) => `${path} 接受连接，但不接受 Web 服务器：` +
			`${why}`,
		takes: (path, described) => `${path} 接受连接（${described}）`,
		alive: (n, all, draining, late) => `${all} 个中继响应器中 ${n} 个` +
			`正常，${draining} 个正在退出，${late} 个没有心跳`,
		jobs_stand: (well, late, failed, off) => `${well} 个正常，${late} 个` +
			`逾期，${failed} 个失败，${off} 个关闭`,
		start_pool: (words, n, folder, program) => '启动响应器：使用 systemd ' +
			'时为 systemctl start leasehold.target，否则\n' +
			`    spawn-fcgi ${words} -u leasehold -g leasehold -- ` +
			`/usr/bin/multiwatch -f ${n} -r 2000000000 -- ` +
			`${folder}/${program}\n` +
			'-u 和 -g 是响应器的用户；-U（或 -G）是 Web 服务器的用户，' +
			'它必须能写入套接字。',
		left_over: '它是已结束的响应器留下的。',
		as_it_should: '若您不是 Web 服务器的用户，这属于正常；请以 root 或' +
			'该用户的身份运行 doctor 以继续检查。',
		stopped_pool: '它们已停止，或达到 streams_max：见 leasehold status。',
		firewall: '能连接的人可以冒充任何客户端地址，且 FastCGI 不加密：' +
			'请用防火墙只允许 Web 服务器所在主机，或绑定 127.0.0.1。',
		take_away: kind => `请将其移走，或修改 ${kind}_socket。`,
		bind_socket: '能连接的人可以冒充任何客户端地址：请用 spawn-fcgi ' +
			'-M 0660，并以 -U 或 -G 指定 Web 服务器的用户。',
		give_socket: (user, again, path) => `spawn-fcgi -U ${user} -M 0660，` +
			`或暂时：\n    chown ${again} ${path}`,
		silent_responder: pid => `进程 ${pid} 很久没有心跳：它已停止，或无法` +
			'连接数据库；请看其日志。',
		other_version: '有的响应器运行着其他版本：请重新启动。',
		too_few: '少于 relay_processes 的设定：日志会说明它们是否启动后又退出。',
		run_jobs: '没有进程执行任务：请启动管理响应器，或用 crontab 每分钟' +
			'执行 leasehold job run。',
		job_failed: (name, why) => `任务 ${name} 失败：${why}`,
		// ---- e-mail ----
		no_mail: '没有以邮件接收通知的目标',
		no_mail_program: why => `没有邮件程序：${why}`,
		mail_by: (program, n) => `由 ${program} 发给 ${n} 个目标`,
		mail_barred: (path, pid) => `${path} 运行时需要提升权限，而进程 ` +
			`${pid} 运行的程序不能提升权限（NoNewPrivileges）`,
		name_mail_program: '请安装邮件程序（postfix、exim4 或 msmtp），或在' +
			'设置 sendmail 中指定。',
		join_postdrop: (group, folder) => '让管理响应器加入 Postfix 的组：在 ' +
			'/etc/systemd/system/leasehold-admin@.service.d/ 下的文件中写入\n' +
			`    [Service]\n    SupplementaryGroups=${group}\n` +
			`    ReadWritePaths=-${folder}\n然后\n` +
			'    systemctl daemon-reload\n' +
			"    systemctl restart 'leasehold-admin@*'",
		send_by_smtp: '通过 SMTP 发信的程序不需要提升权限，例如 msmtp：在 ' +
			'/etc/msmtprc 中设 host 127.0.0.1，并设置\n' +
			'    sendmail = /usr/bin/msmtp\n' +
			'见 leasehold(8) 的 MAIL PROGRAMS。',
		// ---- what is not looked at ----
		needs_config: '需要有效的设置', needs_store: '需要可用的数据库',
		needs_url: '没有 URL', needs_relay: '通过 URL 无法到达中继',
		needs_key_file: '需要主密钥',
		needs_probes: '中继不接受 doctor 的令牌',
		needs_key: '没有提供客户端密钥',
	},
};
