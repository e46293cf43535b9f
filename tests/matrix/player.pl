# Plays a raw video on the guest's screen as a player does: a window, and each picture put into it (X11's PutImage). Nothing is decoded or
# scaled, and there is no library but perl's own: under emulation a real player shows too few pictures a second for a server to see a video.
#
#   perl player.pl FILE WIDTH HEIGHT PER_SECOND X,Y SIZE:PICTURES…
#
# FILE has pictures of WIDTH × HEIGHT pixels, four bytes each. Of them the upper left SIZE (“256x192”) is shown at X,Y of the screen for so many
# PICTURES, then that of the next words in a window made as large. At the end the last picture stays until the program is killed.
use strict;
use warnings;
use Socket;

$| = 1;
my ($file, $width, $height, $perSecond, $place, @parts) = @ARGV;
my ($left, $top) = split /,/, $place;
socket(my $server, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
connect($server, pack_sockaddr_un('/tmp/.X11-unix/X0')) or die "X does not answer: $!";

sub say_it {
  my $bytes = join '', @_;
  for (my $at = 0; $at < length $bytes;) {
    my $written = syswrite($server, $bytes, length($bytes) - $at, $at);
    die "X is gone: $!" unless defined $written;
    $at += $written;
  }
}

sub hear {
  my ($wanted) = @_;
  my $got = '';
  while (length $got < $wanted) { sysread($server, $got, $wanted - length $got, length $got) or die 'X is gone' }
  return $got;
}

# The setup: little-endian, version 11.0, nothing to prove. Of the answer: ids that are ours, the first screen's root window and its depth.
say_it(pack 'a1 x S S S S xx', 'l', 11, 0, 0, 0);
my ($accepted, undef, undef, undef, $words) = unpack 'C C S S S', hear(8);
my $about = hear($words * 4);
die "X refused: $about" if $accepted != 1;
my ($ids, $vendorBytes, $formats) = unpack 'x4 L x8 S x3 C', $about;
my $screen = substr $about, 32 + (($vendorBytes + 3) & ~3) + 8 * $formats;
my ($root, $depth) = unpack 'L x34 C', $screen;
my ($window, $context) = ($ids | 1, $ids | 2);

open my $video, '<:raw', $file or die "$file: $!";
my $all = do { local $/; <$video> };
my $count = length($all) / ($width * $height * 4);

# All of it beforehand: a pause between two parts would be the end of the video.
my @cut = map {
  my ($wide, $high, $pictures) = /^(\d+)x(\d+):(\d+)$/ or die "$_ is no SIZE:PICTURES";
  my @images = map {
    my $first = $_ * $height;
    join '', map { substr $all, ($first + $_) * $width * 4, $wide * 4 } 0 .. $high - 1;
  } 0 .. $count - 1;
  [$wide, $high, $pictures, \@images];
} @parts;

my $shown = 0;
for my $part (@cut) {
  my ($wide, $high, $pictures, $images) = @$part;
  if ($shown == 0) {
    # CreateWindow (black, keeps what it shows when it is made larger, no frame around it), CreateGC, MapWindow.
    say_it(pack 'C C S L L s s S S S S L L L L L', 1, 0, 11, $window, $root, $left, $top, $wide, $high, 0, 1, 0, 0x212, 0, 1, 1);
    say_it(pack 'C C S L L L', 55, 0, 4, $context, $window, 0);
    say_it(pack 'C C S L', 8, 0, 2, $window);
  } else {
    # ConfigureWindow: width and height.
    say_it(pack 'C C S L S S L L', 12, 0, 5, $window, 12, 0, $wide, $high);
  }
  for (1 .. $pictures) {
    # PutImage as a ZPixmap.
    my $image = $images->[$shown++ % $count];
    say_it(pack('C C S L L S S s s C C xx', 72, 2, 6 + $wide * $high, $window, $context, $wide, $high, 0, 0, 0, $depth), $image);
    # GetInputFocus: when it is answered the picture has been drawn.
    say_it(pack 'C C S', 43, 0, 1);
    hear(32);
    select undef, undef, undef, 1 / $perSecond;
  }
}
print "$shown pictures\n";
sleep 3600;
