// The texts of strings.js that are needed first: those of the shell with the
// titles of all pages, of the sign-in and of the dashboard.
export const strings = {
	en: {
		language: 'Language', menu: 'Pages', skip: 'To the content',
		dashboard: 'Dashboard', accounts: 'Accounts', keys: 'Keys',
		users: 'Users', requests: 'Requests', usage: 'Usage',
		audit: 'Audit log', me: 'My sign-in',
		// ---- shell ----
		overview: 'Overview', pool: 'Pool', people: 'People',
		system: 'System', scheme: 'Colours', scheme_auto: 'Auto',
		scheme_light: 'Light', scheme_dark: 'Dark',
		loading: 'Loading …', again: 'Try again',
		failed: 'This page has failed.', pager: 'Further pages',
		previous: 'Previous', next: 'Next', newest: 'Newest',
		part: (from, to, total) =>
			`${from} to ${to} of ${total}`,
		figures: 'Figures', queue: 'Queue',
		// ---- what routes say: nothing is before their English ----
		code_40001: '', code_40101: '', code_40301: '', code_40401: '',
		code_40901: '', code_41301: '', code_42901: '', code_50001: '',
		code_50301: '', code_40102: '',
		tooLarge: 'That is more than the web server takes.',
		// ---- sign-in ----
		signIn: 'Sign in', signOut: 'Sign out',
		signInHint: 'Whoever runs the relay invites you; on the server: ' +
			'leasehold user invite',
		welcome: 'Welcome',
		welcomeHint: 'Choose the name and the password that you will ' +
			'sign in with.',
		begin: 'Begin', name: 'Name', password: 'Password',
		passwordHint: 'Ten characters or more.',
		code: 'Code of the second factor',
		codeHint: 'Six digits of your app, or a recovery code.',
		unreachable: 'The relay does not answer.',
		storeDown: 'The database cannot be used at the moment.',
		cancel: 'Cancel', older: 'Older', none: 'There are none.',
		health: 'Health', healthy: 'serving', unhealthy: 'not serving',
		openRequests: 'Open requests',
		waiting: 'Waiting for an account',
		requestsToday: 'Requests, 24 h', errorsToday: 'Errors, 24 h',
		costToday: 'Cost, 24 h', group: 'Group', state: 'State',
		inUse: 'In use', of: (n, max) => `${n} of ${max}`,
		ready: 'ready', disabled: 'disabled', seconds: n => `${n} s`,
		noAccounts: 'There is no account yet: add the first one.',
		addAccount: 'Add an account', key: 'Key', role_user: 'user',
		role_operator: 'operator', role_admin: 'administrator',
		when: 'When', model: 'Model', input: 'Input', output: 'Output',
		cost: 'Cost', firstByte: 'First byte', span: 'Time',
		span_24h: '24 hours', span_7d: '7 days', span_30d: '30 days',
		errors: 'Errors', cacheRead: 'From the cache',
		noUsage: 'Nothing was used in this time.', since: 'Since',
		// ---- groups ----
		groups: 'Groups',
		// ---- budgets ----
		budgets: 'Budgets',
		// ---- dashboard ----
		tokensToday: 'Tokens, 24 h', cacheToday: 'From the cache, 24 h',
		tokens_all: 'Tokens', shareLeft: 'Left upstream',
		wholeAgain: 'whole again in', allOf: n => `All ${n} accounts`,
		longest: time => `for ${time} at the most`,
		breaker_open: 'resting', 'breaker_half-open': 'being tried',
		breaker_probing: 'being tried', p50: 'median',
		p95: '95th percentile', cacheWrite: 'Written to the cache',
		top_key: 'Keys that cost most',
		top_model: 'Models that cost most',
		// ---- requests ----
		outcome_rate_limited: 'rate limited',
		outcome_auth: 'credential refused', outcome_credit: 'no credit',
		outcome_overloaded: 'overloaded',
		outcome_upstream_error: 'upstream failed',
		outcome_upstream_timeout: 'upstream timed out',
		outcome_resolve: 'name not found',
		outcome_connect: 'not reached', outcome_proxy: 'proxy failed',
		outcome_tls: 'TLS failed', outcome_send: 'sending failed',
		outcome_cut: 'answer broke off',
		outcome_silent: 'no answer in time',
		outcome_stalled: 'answer stalled', outcome_garbage: 'not HTTP',
		outcome_sign_in: 'must be signed in again',
		outcome_refresh: 'token not renewed',
		// ---- usage ----
		others: 'others',
		// ---- upstream accounts ----
		reason: 'Reason', over: 'Over in', until: 'Until',
		strikes: 'In a row',
		// ---- prices ----
		prices: 'Prices',
		// ---- jobs ----
		jobs: 'Jobs',
		// ---- notifications ----
		notifications: 'Notifications',
		// ---- settings ----
		settings: 'Settings',
		// ---- maintenance ----
		maintenance: 'Maintenance',
		// ---- batches and files ----
		objects: 'Batches and files',
		// ---- first run ----
		wizard: 'First steps',
		// ---- my usage ----
		myUsage: 'My usage',
		ownersHere: 'You have a key and want to see its usage?',
	},
	zh: {
		language: '语言', menu: '页面', skip: '跳到内容',
		dashboard: '概览', accounts: '账号', keys: '密钥',
		users: '用户', requests: '请求', usage: '用量',
		audit: '审计日志', me: '我的登录',
		// ---- shell ----
		overview: '总览', pool: '账号池', people: '成员',
		system: '系统', scheme: '外观', scheme_auto: '自动',
		scheme_light: '浅色', scheme_dark: '深色', loading: '加载中……',
		again: '重试', failed: '此页面出错。', pager: '翻页',
		previous: '上一页', next: '下一页', newest: '最新',
		part: (from, to, total) =>
			`第 ${from} 至 ${to} 条，共 ${total} 条`,
		figures: '数据表', queue: '队列',
		// ---- what routes say ----
		code_40001: '参数有误。', code_40101: '未登录或登录信息有误。',
		code_40301: '没有权限。', code_40401: '找不到。',
		code_40901: '与现有内容冲突。', code_42901: '尝试过多，请稍后再试。',
		code_50001: '内部错误。', code_50301: '数据库不可用。',
		code_40102: '需要双重验证码，或验证码不正确。',
		code_41301: '内容过大。', tooLarge: '超过 Web 服务器允许的大小。',
		// ---- sign-in ----
		signIn: '登录', signOut: '退出登录',
		signInHint: '请向中继管理员索取邀请；在服务器上执行：' +
			'leasehold user invite',
		welcome: '欢迎', welcomeHint: '请设置您登录用的名称和密码。',
		begin: '开始', name: '名称', password: '密码',
		passwordHint: '至少十个字符。', code: '双重验证码',
		codeHint: '应用中的六位数字，或一个恢复码。',
		unreachable: '中继没有响应。', storeDown: '数据库暂时不可用。',
		cancel: '取消', older: '更早', none: '暂无。', health: '健康',
		healthy: '正常服务', unhealthy: '无法服务',
		openRequests: '进行中的请求', waiting: '等待账号的请求',
		requestsToday: '24 小时请求', errorsToday: '24 小时错误',
		costToday: '24 小时费用', group: '分组', state: '状态',
		inUse: '使用中', of: (n, max) => `${n} / ${max}`, ready: '可用',
		disabled: '已停用', seconds: n => `${n} 秒`,
		noAccounts: '还没有账号：请添加第一个。',
		addAccount: '添加账号', key: '密钥', role_user: '用户',
		role_operator: '操作员', role_admin: '管理员', when: '时间',
		model: '模型', input: '输入', output: '输出', cost: '费用',
		firstByte: '首字节', span: '时间范围', span_24h: '24 小时',
		span_7d: '7 天', span_30d: '30 天', errors: '错误',
		cacheRead: '缓存读取', noUsage: '此时间段内没有用量。',
		since: '始于',
		// ---- groups ----
		groups: '分组',
		// ---- budgets ----
		budgets: '预算',
		// ---- dashboard ----
		tokensToday: '24 小时 token', cacheToday: '24 小时缓存命中',
		tokens_all: 'Token', shareLeft: '上游余量',
		wholeAgain: '恢复还需', allOf: n => `全部 ${n} 个账号`,
		longest: time => `最长已等 ${time}`, breaker_open: '冷却中',
		'breaker_half-open': '试探中', breaker_probing: '试探中',
		p50: '中位数', p95: '第 95 百分位', cacheWrite: '缓存写入',
		top_key: '费用最高的密钥', top_model: '费用最高的模型',
		// ---- requests ----
		outcome_rate_limited: '上游限流', outcome_auth: '凭据被拒',
		outcome_credit: '余额不足', outcome_overloaded: '上游过载',
		outcome_upstream_error: '上游出错',
		outcome_upstream_timeout: '上游超时',
		outcome_resolve: '域名无法解析', outcome_connect: '无法连接',
		outcome_proxy: '代理失败', outcome_tls: 'TLS 失败',
		outcome_send: '发送失败', outcome_cut: '应答中断',
		outcome_silent: '未按时应答', outcome_stalled: '应答停滞',
		outcome_garbage: '并非 HTTP', outcome_sign_in: '需要重新登录',
		outcome_refresh: '令牌未能更新',
		// ---- usage ----
		others: '其他',
		// ---- upstream accounts ----
		reason: '原因', over: '剩余', until: '直到',
		strikes: '连续次数',
		// ---- prices ----
		prices: '价格',
		// ---- jobs ----
		jobs: '任务',
		// ---- notifications ----
		notifications: '通知',
		// ---- settings ----
		settings: '设置',
		// ---- maintenance ----
		maintenance: '维护',
		// ---- batches and files ----
		objects: '批处理与文件',
		// ---- first run ----
		wizard: '快速开始',
		// ---- my usage ----
		myUsage: '我的用量', ownersHere: '持有密钥，想查看用量？',
	},
};
