// What settings and jobs are for, in other languages than that of
// fcgi/base/conf_table.c and admin/jobs.c; what is not here is told in theirs.
export const strings = {
	zh: {
		// ---- places ----
		store: '数据库：文件，或 MySQL／MariaDB 服务器，写作 ' +
			'mysql://USER@HOST[:PORT]/DATABASE，其后可加 ?socket=/path、' +
			'ca=/path（TLS，并以此校验）、password_file=/path 或 tls=off' +
			'（对其他主机使用明文 TCP），以 & 分隔；没有密码文件时取 ' +
			'LEASEHOLD_STORE_PASSWORD，或 LEASEHOLD_STORE_PASSWORD_FILE ' +
			'所指文件的第一行。',
		master_key_file: '主密钥文件，上游凭据用它加密；权限 0600。',
		run_dir: '响应器的锁文件和唤醒套接字所在目录。',
		host_name: '多台主机共用数据库时本机的名称；留空为机器名。' +
			'看不到彼此 run_dir 的进程组（例如同一台机器上的两个容器）' +
			'算作两台主机，需要两个名称。',
		spool_dir: '数据库不可用时，中继响应器在此目录保存待结算的内容；' +
			'重启后必须仍在，可以位于数据库之外的文件系统。',
		mount: 'Web 服务器挂载中继的路径，末尾不带斜杠；留空为根路径。',
		public_url: '客户端访问中继的地址（含挂载路径）；用于体检和提示。',
		log: '日志写到哪里；收到 SIGHUP 时重新打开文件。',
		log_level: '记录此级别及以上的日志。',
		access_log: '每个结束的请求写一行 JSON：时间、路由、状态、字节数、' +
			'耗时、密钥、账号、模型、token、费用等，见 ' +
			'leasehold-relay.fcgi(8)；收到 SIGHUP 时重新打开文件。',
		ca_file: '校验上游所用的证书；留空为系统证书。',
		trusted_proxies: 'Web 服务器之前受信任的代理，采信其 ' +
			'X-Forwarded-For：客户端地址为 REMOTE_ADDR；若它属于这些代理，' +
			'则取该请求头中最右侧的非代理地址。unix 指经 Unix 套接字而来、' +
			'没有地址的对端。不用于 Web 服务器本身。',
		record_address: '账本和访问日志是否记录客户端地址（在许多地方属于' +
			'个人数据）；随该行一起删除（ledger_keep_days）。',
		trace_context: '如何处理请求的 traceparent 和 tracestate（W3C）：' +
			'pass 保留其跟踪并以中继的父编号发往上游，make 在没有时新建，' +
			'off 不理会也不发送。跟踪编号写入日志。',
		relay_socket: '中继响应器的套接字，由 spawn-fcgi 绑定：路径，或 ' +
			'TCP 地址和端口，如 127.0.0.1:9000。',
		admin_socket: '管理响应器的套接字。',
		relay_processes: '启动的中继响应器数量；每个核心一个已经足够。',
		admin_processes: '启动的管理响应器数量。',
		admin_threads: '每个管理响应器的线程数。',
		routes: '本机响应器提供的内容：全部，模型调用等使用客户端密钥的路由' +
			'（relay），或仅管理（admin）；其余返回 404。任务始终运行。',
		admin_from: '允许访问管理接口的网段（如 10.0.0.0/8、2001:db8::/32，' +
			'以逗号分隔），按客户端地址判断（见 trusted_proxies），unix 指' +
			'没有地址的客户端；留空为全部。其他地址返回 403。使用客户端密钥' +
			'的路由对所有人开放。',
		registration: '谁可以在管理页面自行注册：持有邀请的人，或任何人。',
		sign_in_idle_s: '浏览器闲置多久后需要重新登录。',
		sign_in_max_s: '登录多久后无论是否使用都需要重新登录。',
		// ---- bounds ----
		body_max_bytes: '请求体的上限；更大的返回 413。',
		upload_max_bytes: '新批处理或文件的请求体上限；更大的返回 413。' +
			'发往上游之前保存在内存中，并计入 bodies_max_bytes。上游接受 ' +
			'256 MB 的批处理和 500 MB 的文件。',
		bodies_max_bytes: '一个中继响应器保存的全部请求体；超出后新请求' +
			'返回 503。',
		streams_max: '一个中继响应器同时处理的请求；超出后不再接受。',
		queue_max: '整个账号池中等待账号的请求数；0 为不等待。超出后，' +
			'等待数少于 queue_max ÷ 等待的密钥数的密钥仍可进入，只要总数' +
			'不到两倍：任何密钥都不能挤掉其他密钥。',
		attempts_max: '一个请求在上游的尝试次数。',
		reserve_slice_tokens: '流在弹性预算上每次预留的输出 token，' +
			'也是预算可能超出的量。',
		// ---- times ----
		queue_timeout_s: '请求等待账号的最长时间。',
		affinity_ttl_s: '会话在最后一个请求之后多久内继续使用同一账号' +
			'（其提示缓存在该账号上）；客户端要求一小时缓存时至少一小时。' +
			'0：可用任何账号。',
		affinity_wait_ms: '会话的账号繁忙时，为避免丢失 32,768 个以上的' +
			'缓存 token 而等待的时间；缓存较少则按比例缩短，少于 1,024 个' +
			'不等待，且不超过 queue_timeout_s 的一半。',
		attempt_budget_s: '首次尝试后多久内还可以开始新的尝试。',
		connect_timeout_s: '解析域名、连接并与上游完成 TLS 握手的时间。',
		first_byte_timeout_s: '等待上游流的首字节的时间。',
		idle_timeout_s: '流中上游沉默的最长时间。',
		plain_timeout_s: '非流式调用的总时间。',
		client_read_timeout_s: '接收请求时沉默的最长时间。',
		client_write_timeout_s: '客户端不读取应答的最长时间。',
		ping_interval_s: '沉默的流每隔多久发送一次 ping，以免代理放弃；' +
			'0：不发送。',
		early_ping_s: '流等待账号多久后先行打开，并以 ping 保持，因为客户端' +
			'在 300 至 360 秒没有字节时会放弃。代价是状态码：此后的失败只能' +
			'以错误事件告知，客户端处理得较差。仅在 queue_timeout_s 更长时' +
			'有用；0：从不。',
		disconnect_drain_s: '客户端中途离开后，上游可继续多久，以便得知实际' +
			'用量而非估算；0：立即取消。密钥可另行设定。',
		drain_s: '收到 SIGTERM 后进行中的请求可继续多久。',
		beat_interval_ms: '响应器发出心跳的间隔。',
		dead_after_s: '其他主机上的响应器多久没有心跳即视为终止。',
		grant_timeout_ms: '分给等待请求的位置若到时未被使用，则给下一个。',
		// ---- cooldowns ----
		cooldown_rate_s: '收到 429 且上游未说明时，账号冷却的时间。',
		cooldown_auth_s: '收到 401 或 402 后账号冷却的时间。',
		cooldown_overload_s: '收到 529 或 503 且上游未说明时，账号冷却的' +
			'时间。',
		cooldown_error_s: '收到 403、其他 5xx 或连接中断后账号冷却的时间。',
		cooldown_max_s: '连续失败时上述时间逐次加倍（上下浮动约十分之一），' +
			'直到此上限。',
		half_open_s: '冷却之后每次由一个请求试探账号，其他请求等待结果；' +
			'试探的流必须在此时间内开始应答。',
		refresh_ahead_s: 'OAuth 账号的访问令牌在到期前多久更新，但不早于其' +
			'有效期的四分之三。',
		// ---- money, retention ----
		unpriced: '是否可以调用没有价格的模型。有金额预算的密钥不可调用，' +
			'除非使用默认价格（模式 * 的价格）。',
		implausible: '上游给出不可能的用量时如何计费：按可能的最大值，或按其' +
			'所称。两种情况都会标记请求。',
		ledger_keep_days: '任务 prune 在多少天后删除账本中的请求；按小时和天' +
			'的合计保留。0：从不。',
		audit_keep_days: '任务 prune 在多少天后删除审计日志。0：从不。',
		// ---- jobs ----
		job_refresh: '何时更新中继响应器遗漏的 OAuth 令牌（通常由它们按时' +
			'更新）。',
		job_probe: '何时向每个账号请求模型列表（没有则计算 token 数，均不' +
			'收费），以了解其状况。',
		job_reap: '何时关闭已终止的响应器留下的请求；中继响应器在数秒内即会' +
			'处理。',
		job_rollup: '何时由明细重新计算所有合计并比较，如同 leasehold ' +
			'ledger verify。',
		job_latency: '何时统计请求耗时，用量报表由此得出百分位；尚未统计的' +
			'部分由账本读取。',
		job_prune: '何时删除旧请求（ledger_keep_days）、预算周期和会话。',
		job_checkpoint: 'SQLite：何时把预写日志全部写入数据库并截断；日志' +
			'增长时也会写入。',
		job_backup: '何时把数据库复制到 backup_dir 中的文件，期间照常运行。',
		job_notify: '何时检查是否有需要通知的事件，并通知各目标。',
		job_zone: '任务计划的时区。',
		job_lease_s: '任务的执行者多久没有动静后可由其他进程接手。',
		sendmail: '从标准输入接收通知邮件的程序，以 sendmail -i -- 地址 调用；' +
			'留空：不发邮件。',
		mail_from: '通知邮件的发件地址；留空则由 sendmail 决定。',
		backup_dir: '备份目录，需要时创建；留空则任务 backup 不做任何事。',
		backup_keep: '保留的备份数；新备份完成后删除更早的。',
		// ---- database ----
		sqlite_synchronous: '设为 normal 时断电可能丢失最后片刻；每批省去' +
			'一次磁盘刷写。',
		store_timeout_s: '数据库操作到时仍未开始则失败。',
		spool_bytes: '响应器在 spool_dir 中文件的大小，启动时分配；一项结算' +
			'约需 600 字节。',
	},
};

// What each job does.
export const jobs = {
	zh: {
		backup: '把数据库复制到 backup_dir', checkpoint: '把预写日志全部写入数据库',
		latency: '统计请求耗时', notify: '向需要知道的人发送通知',
		probe: '了解账号的状况', prune: '删除旧数据',
		reap: '关闭已终止的响应器留下的请求', refresh: '更新逾期的令牌',
		rollup: '用明细核对所有合计',
	},
};
