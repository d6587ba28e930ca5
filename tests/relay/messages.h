#ifndef TESTS_RELAY_MESSAGES_H_
#define TESTS_RELAY_MESSAGES_H_

/* Pieces of an upstream's answers. */
#define START "event: message_start\ndata: {\"type\":\"message_start\"," \
	"\"message\":{\"model\":\"claude-x-1\",\"usage\":{" \
	"\"input_tokens\":10,\"output_tokens\":1}}}\n\n"
#define DELTA "event: content_block_delta\ndata: {\"type\":" \
	"\"content_block_delta\",\"delta\":{\"text\":\"abcdef\"}}\n\n"
#define FINAL "event: message_delta\ndata: {\"type\":\"message_delta\"," \
	"\"usage\":{\"output_tokens\":5}}\n\n"
#define STOP "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
#define ERROR_EVENT(type) "event: error\ndata: {\"type\":\"error\"," \
	"\"error\":{\"type\":\"" type "\",\"message\":\"m\"}}\n\n"
#define WHOLE START DELTA FINAL STOP
#define PING "event: ping\ndata: {\"type\": \"ping\"}\n\n"

#define PLAIN_BODY "{\"type\":\"message\",\"model\":\"claude-x-1\"," \
	"\"content\":[{\"type\":\"text\",\"text\":\"hi\"}],\"usage\":{" \
	"\"input_tokens\":10,\"output_tokens\":5}}"

#endif /* !TESTS_RELAY_MESSAGES_H_ */
