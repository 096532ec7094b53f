"""What several test files share: a vocabulary, disks that lose power, right answers, strangers."""
