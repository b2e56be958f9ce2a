// Package configs reads what an operator writes: the environment and the files.
// It is the only package that knows envconfig and YAML.
//
//	GALENA_*  ──► Env      every variable typed, every fault named, no value printed
//
//	*.yaml ──► tree ──► shape ──► decode over defaults ──► Validate ──► cross-file
//	            │         │                                   │            │
//	            └─────────┴── Report: path:line:column: CODE message (hint) ┘
//	                                      │
//	                                      ▼
//	                        Rules: one spec per kind, hash and bytes of each file
//	                                      ▲
//	disposable-2027-02-01.txt ──► checksum, entries: a newer list of hygiene
//
// A file names its kind; a kind that no file names keeps its built-in default
// (icp.yaml and its neighbours in this folder). The meaning of each spec, its
// defaults and its checks live with the package that obeys it; this package
// finds the line. All faults of all files are told at once, and a file with a
// fault changes nothing.
package configs
