using System.Text;
using Evidence.Hashing;
using Evidence.Ledger;
using Xunit;

namespace Evidence.Tests.Ledger;

public sealed class SignedNoteTests
{
    // The example keys of Go's golang.org/x/mod/sumdb/note.
    private const string Peter = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    private const string Enoch = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";

    private const string PeterNote =
        "If you think cryptography is the answer to your problem,\n" +
        "then you don't know what your problem is.\n" +
        "\n" +
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    [Theory]
    [InlineData(Peter)]
    [InlineData(Enoch)]
    public void Known_verifier_keys_are_read_and_written_as_they_are(string text) => Assert.Equal(text, VerifierKey.Parse(text).ToString());

    [Theory]
    [InlineData("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    [InlineData("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==")]
    [InlineData("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    [InlineData("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    [InlineData("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    [InlineData("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    [InlineData("PeterNeumann")]
    public void Wrong_verifier_keys_are_refused(string text) => Assert.Throws<FormatException>(() => VerifierKey.Parse(text));

    [Fact]
    public void A_note_that_go_signed_verifies_and_any_flipped_byte_ends_that()
    {
        VerifierKey[] keys = [VerifierKey.Parse(Peter), VerifierKey.Parse(Enoch)];
        byte[] note = Encoding.UTF8.GetBytes(PeterNote);
        Assert.Equal(keys[..1], NoteVerifier.Verify(SignedNote.Parse(note), keys).Verified);
        for (int i = 0; i < note.Length; i++)
        {
            note[i] ^= 1;
            Assert.False(Accepts(note, keys), $"byte {i}");
            note[i] ^= 1;
        }
    }

    [Fact]
    public void Lines_of_unknown_signers_are_ignored_and_many_are_accepted()
    {
        VerifierKey[] keys = [VerifierKey.Parse(Peter)];
        string others = string.Concat(Enumerable.Range(0, 40).Select(i => $"— witness{i} {Convert.ToBase64String(new byte[76])}\n"));
        Assert.True(Accepts(Encoding.UTF8.GetBytes(PeterNote + others), keys));
        // A second line under the known name and key id, and wrong: the whole note is rejected.
        string wrong = PeterNote[PeterNote.LastIndexOf('—')..].Replace("ZJku", "ZJkv", StringComparison.Ordinal);
        Assert.False(Accepts(Encoding.UTF8.GetBytes(PeterNote + wrong), keys));
        Assert.Throws<FormatException>(() => SignedNote.Parse(Encoding.UTF8.GetBytes(PeterNote + others + others + others)));
    }

    [Theory]
    [InlineData("text\n")]
    [InlineData("text\n\n")]
    [InlineData("text\n\n— name AAAAAAA=")]
    [InlineData("text\n\n- name AAAAAAA=\n")]
    [InlineData("text\n\n— name AAAAAA==\n")]
    [InlineData("text\n\n— name AAAAAAB=\n")]
    [InlineData("text\n\n— na+me AAAAAAA=\n")]
    [InlineData("text\n\n—  AAAAAAA=\n")]
    [InlineData("text\r\n\n— name AAAAAAA=\n")]
    [InlineData("text\n\n— name AAAAAAA=\n\n")]
    public void What_is_no_note_is_refused(string text) => Assert.Throws<FormatException>(() => SignedNote.Parse(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void A_checkpoint_is_three_lines_and_nothing_else()
    {
        var checkpoint = new Checkpoint("example.com/log", 0, MerkleTree.EmptyRoot);
        Assert.Equal("example.com/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", checkpoint.ToText());
        Assert.Equal(checkpoint, Checkpoint.Parse(checkpoint.ToText()));
        foreach (string wrong in (string[])[
            checkpoint.ToText() + "extension\n", checkpoint.ToText()[..^1], checkpoint.ToText().Replace("\n0\n", "\n00\n", StringComparison.Ordinal),
            checkpoint.ToText().Replace("uFU=", "uFV=", StringComparison.Ordinal), checkpoint.ToText().Replace("example.com/log", "a b", StringComparison.Ordinal)])
        {
            Assert.Throws<FormatException>(() => Checkpoint.Parse(wrong));
        }
    }

    private static bool Accepts(byte[] note, IReadOnlyCollection<VerifierKey> keys)
    {
        try
        {
            return NoteVerifier.Verify(SignedNote.Parse(note), keys).IsAccepted;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
