window.x = 2;
