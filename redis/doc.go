// Package redis is the one door to Redis: the shared client, the embedded
// server, the limiter that all processes share, and the word that one passes to
// the others.
//
//	GALENA_REDIS_URL ──► Open ──► one client per process ──► queue (worker)
//	   (empty: embedded miniredis)                       ├──► Limiter (providers)
//	                                                     ├──► Herald (providers, queue)
//	                                                     └──► Idle (queue)
//
// Redis is a fast signal, never the truth: losing all of it loses no lead.
package redis
