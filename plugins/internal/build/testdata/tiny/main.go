// Command tiny is the least that the build can compile.
package main

func main() {}
