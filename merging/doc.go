// Package merging makes one profile of many observations: survivorship as a
// function of the set of observations, the policy and the time. The same set in
// any order, with or without repeats, gives the same profile.
//
//	observations of one field
//	      │ drop what is empty or older than max_stale
//	      ▼
//	 highest class that speaks   human_locked > human > crm > registry > form
//	      │                      > provider > crawl > inferred
//	      ▼
//	 weight = trust × confidence × (1 - decay)^age
//	      │ compatible values pool their weights
//	      ▼
//	 fold in (observed_at, id) order; a challenger needs 1.15 × the winner
//	      │
//	      ▼
//	 fact: value, state, source, observation, effective confidence
//
// Weights are whole numbers: trust and effective confidence are each rounded,
// half up, to a millionth before they are multiplied. Comparisons are exact
// from there on, so that no platform's floating point can flip a winner.
package merging
