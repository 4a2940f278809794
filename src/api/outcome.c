#include "api/outcome.h"

bool api_outcome_in_doubt(enum api_outcome outcome)
{
	switch (outcome) {
	case API_GARBLED:
	case API_CONFLICT:
	case API_SERVER_DOUBT:
	case API_LOST:
	case API_CANCELLED: return true;
	case API_DONE:
	case API_DONE_NO_ID:
	case API_REFUSED:
	case API_UNAUTHORIZED:
	case API_FORBIDDEN:
	case API_RATE_LIMITED:
	case API_SERVER_ERROR:
	case API_ROAD_FAULT:
	case API_NEVER_LEFT: return false;
	}
	return true;
}

const char *api_outcome_name(enum api_outcome outcome)
{
	switch (outcome) {
	case API_DONE: return "done";
	case API_DONE_NO_ID: return "done_no_id";
	case API_GARBLED: return "garbled";
	case API_REFUSED: return "refused";
	case API_CONFLICT: return "conflict";
	case API_UNAUTHORIZED: return "unauthorized";
	case API_FORBIDDEN: return "forbidden";
	case API_RATE_LIMITED: return "rate_limited";
	case API_SERVER_ERROR: return "server_error";
	case API_SERVER_DOUBT: return "server_doubt";
	case API_ROAD_FAULT: return "road_fault";
	case API_NEVER_LEFT: return "never_left";
	case API_LOST: return "lost";
	case API_CANCELLED: return "cancelled";
	}
	return "unknown";
}
