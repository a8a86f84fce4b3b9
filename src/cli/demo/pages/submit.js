// The user has already said so, with a button of a page of ours or of the gate's.
document.getElementById('end').submit();
