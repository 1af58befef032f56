using System.Security.Cryptography;
using Evidence.Hashing;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Hashing;

public sealed class Sha256DigestTests
{
    private static readonly Arbitrary<byte[]> ThirtyTwoBytes = Gen.Choose(0, 255).Select(v => (byte)v).ArrayOf(Sha256Digest.Size).ToArbitrary();

    [Fact]
    public void Bytes_and_text_round_trip() => Prop.ForAll(ThirtyTwoBytes, bytes =>
    {
        var digest = new Sha256Digest(bytes);
        return digest.ToArray().SequenceEqual(bytes) &&
            digest.ToString() == Convert.ToHexStringLower(bytes) &&
            Sha256Digest.Parse(digest.ToString()) == digest &&
            Sha256Digest.Parse(digest.ToString().ToUpperInvariant()) == digest;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_order_is_that_of_byte_strings() => Prop.ForAll(ThirtyTwoBytes, ThirtyTwoBytes, Gen.Choose(0, 32).ToArbitrary(), (left, right, same) =>
    {
        // A shared beginning, so that every word gets its turn to decide.
        left.AsSpan(0, same).CopyTo(right);
        var (a, b) = (new Sha256Digest(left), new Sha256Digest(right));
        int order = Math.Sign(left.AsSpan().SequenceCompareTo(right));
        return Math.Sign(a.CompareTo(b)) == order && Math.Sign(b.CompareTo(a)) == -order &&
            a < b == order < 0 && a > b == order > 0 && a <= b == order <= 0 && a >= b == order >= 0 &&
            a == b == (order == 0) && a != b == (order != 0) && a.Equals((object)b) == (order == 0) &&
            (order != 0 || a.GetHashCode() == b.GetHashCode());
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550")]
    [InlineData("g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData(" 3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85\n")]
    [InlineData("٣3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    public void Any_other_text_is_refused(string? text)
    {
        Assert.False(Sha256Digest.TryParse(text, out Sha256Digest digest));
        Assert.Equal(default, digest);
        if (text is not null)
            Assert.Throws<FormatException>(() => Sha256Digest.Parse(text));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void Any_other_length_is_refused(int length)
    {
        Assert.Throws<ArgumentException>(() => new Sha256Digest(new byte[length]));
        if (length < Sha256Digest.Size)
            Assert.Throws<ArgumentException>(() => default(Sha256Digest).CopyTo(new byte[length]));
    }

    // FIPS 180-4's own examples.
    [Theory]
    [InlineData("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    public void Known_vectors_hold(string text, string digest) =>
        Assert.Equal(digest, Sha256Digest.Compute(System.Text.Encoding.ASCII.GetBytes(text)).ToString());

    [Fact]
    public void It_computes_what_the_framework_computes() => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes =>
        Sha256Digest.Compute(bytes).ToArray().SequenceEqual(SHA256.HashData(bytes))).QuickCheckThrowOnFailure();
}
