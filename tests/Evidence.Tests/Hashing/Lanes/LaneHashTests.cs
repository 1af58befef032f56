using System.Text;
using Evidence.Hashing;
using Evidence.Hashing.Lanes;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Hashing.Lanes;

public sealed class LaneHashTests
{
    private const int LargestNoise = 1 << 17;
    private static readonly byte[] Noise = TestBytes.Random(LargestNoise, 1);

    public static TheoryData<string> Names => Kernels.Names;

    /// <summary>Places and lengths: mostly of few blocks, and at times so long that many others end meanwhile.</summary>
    private static readonly Arbitrary<(int Offset, int Length)[]> Messages = (
        from offset in Gen.Choose(0, 4096)
        from length in Gen.Frequency(
            (6, Gen.Choose(0, 300)),
            (3, Gen.Choose(0, 10_000)),
            (1, Gen.Choose(0, LargestNoise - 4096)),
            (2, Gen.Choose(0, 64).Select(n => n * 64)))
        select (offset, length)).ArrayOf().ToArbitrary();

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_length_up_to_four_blocks_and_one_byte_at_once(string name)
    {
        (int, int)[] messages = [.. Enumerable.Range(0, 258).Select(length => (0, length))];
        AssertHashes(Kernels.Named(name), messages);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_length_up_to_four_blocks_and_one_byte_in_a_lane_alone(string name)
    {
        for (int length = 0; length <= 257; length++)
            AssertHashes(Kernels.Named(name), [(length, length)]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_length_up_to_four_blocks_and_one_byte_in_all_lanes(string name)
    {
        LaneKernel kernel = Kernels.Named(name);
        for (int length = 0; length <= 257; length++)
            AssertHashes(kernel, [.. Enumerable.Range(0, kernel.Lanes).Select(lane => (lane * 1000, length))]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Messages_begin_at_any_address(string name)
    {
        LaneKernel kernel = Kernels.Named(name);
        for (int misalignment = 0; misalignment < 64; misalignment++)
            AssertHashes(kernel, [.. Enumerable.Range(0, kernel.Lanes + 3).Select(i => (i * 333, 500 + i))], misalignment);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Any_number_of_messages_of_any_lengths(string name)
    {
        LaneKernel kernel = Kernels.Named(name);
        Prop.ForAll(Messages, messages => AssertHashes(kernel, messages)).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Whatever_way_is_chosen_gives_the_same_digests() => Prop.ForAll(Messages, Gen.Elements(Kernels.Functions).ToArbitrary(), (messages, function) =>
    {
        using var noise = new NativeBytes(Noise);
        var digests = new byte[messages.Length * function.DigestSize];
        LanePlan plan = LaneHash.Compute(function, [.. messages.Select(m => noise.Message(m.Offset, m.Length))], digests);
        AssertEqual(function, messages, digests);
        Assert.InRange(plan.Alone, 0, messages.Length);
        Assert.Equal(plan.Kernel is null, plan.Alone == messages.Length);
    }).QuickCheckThrowOnFailure();

    // RFC 1321, appendix A.5; FIPS 180's examples, with its million times "a".
    [Theory]
    [InlineData(DigestAlgorithm.Md5, "", 1, "d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData(DigestAlgorithm.Md5, "a", 1, "0cc175b9c0f1b6a831c399e269772661")]
    [InlineData(DigestAlgorithm.Md5, "abc", 1, "900150983cd24fb0d6963f7d28e17f72")]
    [InlineData(DigestAlgorithm.Md5, "message digest", 1, "f96b697d7cb7938d525a2f31aaf161d0")]
    [InlineData(DigestAlgorithm.Md5, "abcdefghijklmnopqrstuvwxyz", 1, "c3fcd3d76192e4007dfb496cca67e13b")]
    [InlineData(DigestAlgorithm.Md5, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 1, "d174ab98d277d9f5a5611c2c9f419d9f")]
    [InlineData(DigestAlgorithm.Md5, "1234567890", 8, "57edf4a22be3c955ac49da2e2107b67a")]
    [InlineData(DigestAlgorithm.Sha1, "", 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709")]
    [InlineData(DigestAlgorithm.Sha1, "abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d")]
    [InlineData(DigestAlgorithm.Sha1, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "84983e441c3bd26ebaae4aa1f95129e5e54670f1")]
    [InlineData(DigestAlgorithm.Sha1, "a", 1_000_000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f")]
    [InlineData(DigestAlgorithm.Sha256, "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData(DigestAlgorithm.Sha256, "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData(DigestAlgorithm.Sha256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    [InlineData(DigestAlgorithm.Sha256, "a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")]
    public void Known_vectors_hold_in_every_lane(DigestAlgorithm algorithm, string text, int times, string digest)
    {
        using var content = new NativeBytes(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(text, times))));
        foreach (LaneKernel kernel in LaneKernel.All(Kernels.Of(algorithm)))
        {
            int size = kernel.Function.DigestSize;
            var digests = new byte[kernel.Lanes * size];
            LaneHash.Compute(kernel, [.. Enumerable.Repeat(content.Message(0, content.Length), kernel.Lanes)], digests);
            Assert.All(digests.Chunk(size), d => Assert.Equal(digest, Convert.ToHexStringLower(d)));
        }
    }

    [Fact]
    public void No_message_gives_no_digest()
    {
        Assert.Equal(default, LaneHash.Compute(HashFunction.Sha256, [], []));
        LaneHash.Compute(LaneKernel.Of(HashFunction.Sha256, LaneWidth.Scalar), [], []);
    }

    private static void AssertHashes(LaneKernel kernel, (int Offset, int Length)[] messages, int misalignment = 0)
    {
        using var noise = new NativeBytes(Noise, misalignment);
        var digests = new byte[messages.Length * kernel.Function.DigestSize];
        LaneHash.Compute(kernel, [.. messages.Select(m => noise.Message(m.Offset, m.Length))], digests);
        AssertEqual(kernel.Function, messages, digests);
    }

    private static void AssertEqual(HashFunction function, (int Offset, int Length)[] messages, byte[] digests)
    {
        for (int i = 0; i < messages.Length; i++)
        {
            byte[] expected = Kernels.Expected(function, Noise.AsSpan(messages[i].Offset, messages[i].Length));
            Assert.Equal(expected, digests.AsSpan(i * function.DigestSize, function.DigestSize).ToArray());
        }
    }
}
