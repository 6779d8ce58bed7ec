"""What the page teaches: the mathematics of the notes with the numbers that check it, and each rung as a lesson."""
