using Evidence.Hashing;
using Evidence.Hashing.Lanes;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Hashing.Lanes;

public sealed unsafe class LaneChainTests
{
    private static readonly byte[] Noise = TestBytes.Random(1 << 18, 2);

    public static TheoryData<string> Names => Kernels.Names;

    /// <summary>For each of up to 40 chains, how much of its message comes with each of up to 12 calls.</summary>
    private static readonly Arbitrary<int[][]> Parts =
        Gen.Choose(0, 40).SelectMany(chains => Gen.Frequency(
            (3, Gen.Constant(0)), (4, Gen.Choose(1, 130)), (2, Gen.Choose(0, 20).Select(n => n * 64)), (1, Gen.Choose(0, 20_000)))
            .ArrayOf(chains).ArrayOf()).Where(calls => calls.Length <= 12).ToArbitrary();

    [Theory]
    [MemberData(nameof(Names))]
    public void Messages_in_parts_give_the_digests_of_the_whole(string name)
    {
        LaneKernel kernel = Kernels.Named(name);
        Prop.ForAll(Parts, calls => Check(kernel.Function, calls, inputs => LaneChain.Append(kernel, inputs))).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Whatever_way_is_chosen_gives_the_same_digests() => Prop.ForAll(Parts, Gen.Elements(Kernels.Functions).ToArbitrary(), (calls, function) =>
        Check(function, calls, inputs => LaneChain.Append(inputs))).QuickCheckThrowOnFailure();

    [Fact]
    public void A_digest_may_be_asked_for_on_the_way()
    {
        using var content = new NativeBytes(Noise);
        var chain = new LaneChain(HashFunction.Sha1);
        for (int length = 0; length < 300; length++)
        {
            Assert.Equal(Kernels.Expected(HashFunction.Sha1, Noise.AsSpan(0, length)), chain.ToDigest());
            LaneChain.Append([new LaneInput(chain, content.Start + length, 1)]);
        }
    }

    /// <summary>The words after 4 GiB of zeros; and the digest that OpenSSL gives of 100 zeros more: its length does not fit into 32 bits, counted in bytes.</summary>
    [Theory]
    [InlineData(DigestAlgorithm.Md5, "3601846a07f37ff8fbbeed3a1a7999b7", "BD2DED0A AC54FC02 1857FCEE 61BB26EC")]
    [InlineData(DigestAlgorithm.Sha1, "ed4e242fbb152330b464d8812afead7ba2e2a07a", "D6D0CCD0 737C474D 3119CCC0 D168DF14 3D2453BE")]
    [InlineData(
        DigestAlgorithm.Sha256, "577d1bdcfb357ff6b5cfa8d863aba0847fea65faa1ff00f6daf1caedb30a7b3f",
        "8FFE48E8 FE681595 06D4999E E2B1AC4C 3E5B953C D5F8BB95 E8082D4E 8DF5E99A")]
    public void A_message_may_be_longer_than_4_GiB(DigestAlgorithm algorithm, string digest, string state)
    {
        uint[] words = [.. state.Split(' ').Select(w => Convert.ToUInt32(w, 16))];
        using var zeros = new NativeBytes(new byte[100]);
        foreach (LaneKernel kernel in LaneKernel.All(Kernels.Of(algorithm)))
        {
            LaneChain[] chains = [.. Enumerable.Range(0, kernel.Lanes).Select(_ => new LaneChain(kernel.Function, words, 1UL << 32))];
            LaneChain.Append(kernel, [.. chains.Select(c => new LaneInput(c, zeros.Start, zeros.Length))]);
            Assert.All(chains, c => Assert.Equal(digest, Convert.ToHexStringLower(c.ToDigest())));
        }
    }

    [Fact]
    public void One_chain_twice_or_chains_of_two_functions_are_refused()
    {
        using var content = new NativeBytes(new byte[64]);
        var chain = new LaneChain(HashFunction.Md5);
        var input = new LaneInput(chain, content.Start, content.Length);
        Assert.Throws<ArgumentException>(() => LaneChain.Append([input, input]));
        Assert.Throws<ArgumentException>(() => LaneChain.Append([new(new LaneChain(HashFunction.Md5), content.Start, 64), new(new LaneChain(HashFunction.Sha1), content.Start, 64)]));
        Assert.Throws<ArgumentException>(() => new LaneChain(HashFunction.Md5, new uint[5], 64));
        Assert.Throws<ArgumentException>(() => new LaneChain(HashFunction.Md5, new uint[4], 63));
    }

    private delegate void Append(ReadOnlySpan<LaneInput> inputs);

    private static void Check(HashFunction function, int[][] calls, Append append)
    {
        using var content = new NativeBytes(Noise);
        int count = calls.Length == 0 ? 0 : calls[0].Length;
        LaneChain[] chains = [.. Enumerable.Range(0, count).Select(_ => new LaneChain(function))];
        var lengths = new int[count];
        foreach (int[] parts in calls)
        {
            var inputs = new List<LaneInput>();
            for (int i = 0; i < count; i++)
            {
                // What has nothing to give is left out at times, and at times is there with nothing.
                if (parts[i] > 0 || i % 2 == 0)
                    inputs.Add(new LaneInput(chains[i], content.Start + (i * 100) + lengths[i], parts[i]));
                lengths[i] += parts[i];
            }

            append([.. inputs]);
        }

        for (int i = 0; i < count; i++)
            Assert.Equal(Kernels.Expected(function, Noise.AsSpan(i * 100, lengths[i])), chains[i].ToDigest());
    }
}
