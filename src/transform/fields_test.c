#include "base/arena.h"
int main(void){return 0;}
